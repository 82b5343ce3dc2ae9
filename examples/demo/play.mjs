import { once as happened } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { ACCESS_TOKEN_MS } from './demo-app.mjs'
import { Narrator } from './narrator.mjs'
import { Stage } from './stage.mjs'
import { ENCORES, STORY } from './story.mjs'

const LONGEST_CHAPTER_MS = 45_000
const BETWEEN_MS = 700
const BETWEEN_ENCORES_MS = 9_000

/**
 * Sets the stage, tells the story, goes on until `signal` unless `once`, and closes everything.
 *
 * @param {import('./chronicle.mjs').Chronicle} chronicle
 * @param {{ once: boolean, signal: AbortSignal }} options
 * @returns {Promise<number>} the exit code
 */
export async function playDemo(chronicle, { once, signal }) {
  const stage = await Stage.open(chronicle)
  const narrator = new Narrator(chronicle)
  try {
    introduce(stage, narrator, once)
    for (const [chapter, shop] of STORY) {
      await unlessEnded(signal, () => chapter(stage, narrator, shop))
      await pause(BETWEEN_MS, undefined, { signal })
    }
    if (!once) await encore(stage, narrator, signal)
  } catch (error) {
    if (!signal.aborted) narrator.claim(false, error instanceof Error ? error.message : 'the story broke off')
  }
  narrator.fallSilent()
  await stage.traffic.end()
  const epilogue = new Narrator(chronicle)
  summarize(stage, epilogue)
  await stage.close()
  return narrator.surprises + epilogue.surprises === 0 ? 0 : 1
}

/** Rejects when `signal` ends the demo or the chapter does not end by itself. @param {AbortSignal} signal @param {() => Promise<void>} chapter */
async function unlessEnded(signal, chapter) {
  const patience = AbortSignal.timeout(LONGEST_CHAPTER_MS)
  const ended = AbortSignal.any([signal, patience])
  ended.throwIfAborted()
  await Promise.race([chapter(), happened(ended, 'abort')])
  if (patience.aborted) throw new Error(`the chapter did not end within ${LONGEST_CHAPTER_MS / 1000} s`)
  signal.throwIfAborted()
}

/** @param {Stage} stage @param {Narrator} narrator @param {boolean} once */
function introduce({ express, nest, page }, narrator, once) {
  narrator.chapter(
    'Two apps, one database, three shops',
    `A fake Shopify runs a hundred and eighty times as fast as the real one: an access token lives ` +
      `${ACCESS_TOKEN_MS / 1000} seconds instead of 60 minutes. Everything else is as in production: two processes, ` +
      'HTTP between all of them, tokens sealed in one SQLite file, merchants asking six times a second.',
  )
  narrator.say(`this page draws it live: ${page.url}`)
  narrator.say(`listens on ${express.url}`, { app: express.name })
  narrator.say(`listens on ${nest.url}`, { app: nest.name })
  narrator.say(once ? 'the story is told once, in about half a minute' : 'Ctrl-C ends it')
}

/** @param {Stage} stage @param {Narrator} narrator @param {AbortSignal} signal */
async function encore(stage, narrator, signal) {
  narrator.chapter(
    'The story is told; the shops stay open',
    'Tokens go on being renewed, and every now and then something goes wrong again. Ctrl-C ends it.',
  )
  for (;;) {
    for (const [chapter, shop] of ENCORES) {
      await pause(BETWEEN_ENCORES_MS, undefined, { signal })
      await unlessEnded(signal, () => chapter(stage, narrator, shop))
    }
  }
}

/** @param {Stage} stage @param {Narrator} narrator */
function summarize(stage, narrator) {
  const { answered, failed, tokenCalls, rotated, acquired } = stage.totals()
  narrator.chapter('What it came to', `After ${Math.round(stage.chronicle.now / 1000)} seconds:`)
  narrator.claim(failed === 0, `${answered} requests answered, ${failed} failed`)
  narrator.say(`${tokenCalls} token calls, the refused and repeated ones included`)
  narrator.say(`rotations: ${rotated}, first visits: ${acquired}; always one new pair at a time, shared by both apps`)
}
