import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const demoFolder = resolve(__dirname, '../../examples/demo')
/** As the demo's own source says it. */
const clientSecret = /clientSecret: '([^']+)'/.exec(readFileSync(join(demoFolder, 'demo-app.mjs'), 'utf8'))?.[1] ?? ''
/** Access tokens, refresh tokens, client secrets, session tokens, and anything sealed. */
const SECRETS = /shpat_|shprt_|shpss_|shpca_|eyJ[\w-]{10}/

/** The environment of a person who has just cloned the repository. */
const bareEnvironment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SHOPIFY_')))

/** A demo started by a test: what it has printed so far, and how it ends. */
class Demo {
  output = ''
  readonly exitCode: Promise<number | null>
  readonly #process: ChildProcess
  readonly #waiting = new Set<() => void>()

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [join(demoFolder, 'main.mjs'), ...args], {
      env: { ...bareEnvironment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.output += chunk
        for (const look of this.#waiting) look()
      })
    }
    this.exitCode = new Promise((resolve) => child.once('close', resolve))
  }

  /** Resolves with what `pattern` first finds in the output; rejects when the demo ends without it. */
  async find(pattern: RegExp): Promise<string> {
    const found = new Promise<string>((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.output)
        if (match !== null) resolve(match[1] ?? match[0])
      }
      this.#waiting.add(look)
      look()
    })
    const ended = this.exitCode.then(() => {
      throw new Error(`The demo ended without ${String(pattern)}:\n${this.output}`)
    })
    return Promise.race([found, ended])
  }

  interrupt(): void {
    this.#process.kill('SIGINT')
  }
}

function expectNoSecret(text: string): void {
  expect(clientSecret).not.toBe('')
  expect(text).not.toContain(clientSecret)
  expect(text).not.toMatch(SECRETS)
}

async function page(url: string, path: string): Promise<{ readonly type: string; readonly text: string }> {
  const response = await fetch(new URL(path, url))
  expect(response.status).toBe(200)
  return { type: response.headers.get('content-type') ?? '', text: await response.text() }
}

describe('the demo', () => {
  it('tells its story to the end, in the terminal and on its page, without a secret in either', async () => {
    const demo = new Demo(['--once'])
    const url = await demo.find(/this page draws it live: (http:\/\/127\.0\.0\.1:\d+)\n/)

    const html = await page(url, '/')
    expect(html.type).toMatch('text/html')
    expect(html.text).toContain('<title>Shopify Tokens, live</title>')
    expect((await page(url, '/page.css')).type).toMatch('text/css')
    const scripts = await Promise.all([page(url, '/page.js'), page(url, '/lane.js')])
    expect(scripts.map(({ type }) => type)).toEqual(Array(2).fill(expect.stringContaining('text/javascript')))
    expect((await fetch(new URL('/../main.mjs', url))).status).toBe(404)
    // The stream ends with the story.
    const events = await page(url, '/events')
    expect(events.type).toBe('text/event-stream')

    expect({ code: await demo.exitCode, output: demo.output }).toMatchObject({ code: 0 })
    for (const line of [
      '40 of 40 requests answered, token calls: 1',
      'answered with the same pair, token calls in all: 1',
      /\d+ requests answered meanwhile, the slowest in \d+ ms/,
      'the new pair is stored, token calls: 1',
      '401 from Shopify, one renewal, one repetition',
      'back, and its first request answered; renewals needed for that: 0',
      'asked again with the same refresh token and got the pair',
      /\d+ requests answered during the outage, 0 failed/,
      'the endpoint is back, and so is a fresh pair',
      /\d{3,} requests answered, 0 failed/,
    ]) {
      expect(demo.output.replace(/\s+/g, ' ')).toMatch(line)
    }
    expect(demo.output).not.toContain('\u001b')
    for (const kind of ['chapter', 'note', 'pair', 'revoked', 'outage', 'app', 'request', 'totals', 'end']) {
      expect(events.text).toContain(`"kind":"${kind}"`)
    }
    for (const text of [demo.output, html.text, ...scripts.map(({ text }) => text), events.text]) expectNoSecret(text)
  }, 90_000)

  it('ends cleanly on Ctrl-C, in the middle of the story', async () => {
    const demo = new Demo([])
    await demo.find(/Ctrl-C ends it/)
    demo.interrupt()
    expect({ code: await demo.exitCode, output: demo.output }).toMatchObject({ code: 0 })
    expect(demo.output).toMatch(/\d+ requests answered, 0 failed/)
  }, 60_000)

  it('runs the same apps against Shopify when it is given credentials', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
    const demo = new Demo([], {
      SHOPIFY_API_KEY: 'an-app',
      SHOPIFY_API_SECRET: clientSecret,
      SHOPIFY_TOKENS_DATABASE_URL: `sqlite:${join(folder, 'tokens.sqlite')}`,
    })
    const urls = await Promise.all([demo.find(/express +(http:\S+)\n/), demo.find(/nest +(http:\S+)\n/)])
    const answers = await Promise.all(urls.map((url) => fetch(url)))
    demo.interrupt()
    expect({ code: await demo.exitCode, output: demo.output }).toMatchObject({ code: 0 })
    expect(answers.map(({ status }) => status)).toEqual([401, 401])
    expect(demo.output).toContain('the apps run against Shopify')
    expect(demo.output).not.toMatch(/token calls|FakeShopify/)
    expectNoSecret(demo.output)
    rmSync(folder, { recursive: true })
  }, 60_000)

  it('says in one sentence what its environment lacks', async () => {
    const demo = new Demo([], { SHOPIFY_API_KEY: 'an-app', SHOPIFY_API_SECRET: clientSecret, NODE_ENV: 'production' })
    expect(await demo.exitCode).toBe(1)
    expect(demo.output).toMatch(/^Environment variables missing or unreadable: SHOPIFY_TOKENS_DATABASE_URL .+\n$/)
    expectNoSecret(demo.output)
  }, 60_000)
})
