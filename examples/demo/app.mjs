import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const PROCESS = fileURLToPath(new URL('app-process.mjs', import.meta.url))
const START_MS = 30_000
const CLOSE_MS = 10_000
/** How much of what an app prints is kept for the reader of its failure. */
const SAID_LINES = 40

/** @typedef {import('@shopify-tokens/core').TokenEvent} TokenEvent */

/** One of the two apps, as the narrator holds it: a process that can be started, asked to end, or killed. */
export class App {
  /** @type {import('node:child_process').ChildProcess | null} */
  #process = null
  #environment
  #onEvent
  #onLine
  url = ''

  /**
   * @param {'express' | 'nest'} name
   * @param {Record<string, string | undefined>} environment
   * @param {(app: App, event: TokenEvent) => void} onEvent
   * @param {(app: App, text: string) => void} [onLine] Gets what the app prints.
   */
  constructor(name, environment, onEvent, onLine = () => {}) {
    this.name = name
    this.#environment = environment
    this.#onEvent = onEvent
    this.#onLine = onLine
  }

  get isUp() {
    return this.#process !== null
  }

  /** Starts it on `port`, or on a free one when that is taken. Rejects with what it said when it does not come up. */
  async start(port = Number(new URL(this.url).port)) {
    const env = { ...this.#environment, DEMO_PORT: String(port) }
    const child = fork(PROCESS, [this.name], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    /** @type {string[]} */
    const said = []
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: /** @type {import('node:stream').Readable} */ (stream) }).on('line', (line) => {
        said.splice(0, said.push(line) - SAID_LINES)
        this.#onLine(this, line)
      })
    }
    this.#process = child
    child.once('exit', () => (this.#process = null))
    this.url = await new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`The ${this.name} app did not start.\n${said.join('\n')}`))
      const timer = setTimeout(fail, START_MS)
      child.once('exit', fail)
      child.on('message', (/** @type {any} */ message) => {
        if (message.kind === 'event') return this.#onEvent(this, message.event)
        clearTimeout(timer)
        child.off('exit', fail)
        resolve(message.url)
      })
    })
  }

  /** Ends it as a crash does: nothing is closed, nothing is said. */
  async kill() {
    await this.#ended('SIGKILL')
  }

  /** Lets it finish its requests and close its manager. */
  async close() {
    const timer = setTimeout(() => this.#process?.kill('SIGKILL'), CLOSE_MS)
    await this.#ended('close')
    clearTimeout(timer)
  }

  /** @param {'SIGKILL' | 'close'} how */
  async #ended(how) {
    const child = this.#process
    if (child === null) return
    const exit = once(child, 'exit')
    if (how === 'close') child.send('close', () => {})
    else child.kill(how)
    await exit
  }
}
