// Takes the pictures in docs/pictures of running demos. Needs Chromium: CHROMIUM names it, default `chromium`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MOMENT = 'got 503'
const INTO_THE_OUTAGE_MS = 500
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--timeout=2000'],
]
const SCHEMES = { dark: '0', light: '1' }
/** @type {readonly { name: string, size: string, scheme: keyof typeof SCHEMES }[]} */
const PICTURES = [
  { name: 'demo-light.png', size: '1400,1000', scheme: 'light' },
  { name: 'demo-dark.png', size: '1400,1000', scheme: 'dark' },
]
const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))

await mkdir(folder, { recursive: true })
for (const picture of PICTURES) {
  const demo = spawn(process.execPath, [fileURLToPath(new URL('main.mjs', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await take(picture, await urlAtTheMoment(demo.stdout))
  demo.kill('SIGINT')
  await once(demo, 'exit')
}

/** @param {import('node:stream').Readable} account */
async function urlAtTheMoment(account) {
  let url = ''
  await new Promise((resolve) => {
    createInterface({ input: account }).on('line', (line) => {
      url = /this page draws it live: (\S+)/.exec(line)?.[1] ?? url
      if (line.includes(MOMENT)) resolve(undefined)
    })
  })
  await pause(INTO_THE_OUTAGE_MS)
  return url
}

/** @param {(typeof PICTURES)[number]} picture @param {string} url */
async function take({ name, size, scheme }, url) {
  const profile = await mkdtemp(join(tmpdir(), 'demo-picture-'))
  const chosen = [`--user-data-dir=${profile}`, `--window-size=${size}`, `--screenshot=${join(folder, name)}`]
  const colours = `--blink-settings=preferredColorScheme=${SCHEMES[scheme]}`
  const browser = spawn(process.env.CHROMIUM ?? 'chromium', [...FLAGS, ...chosen, colours, url], { stdio: 'ignore' })
  await once(browser, 'exit')
  await rm(profile, { recursive: true, force: true })
  console.log(name)
}
