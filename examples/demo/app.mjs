import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROCESS = fileURLToPath(new URL('app-process.mjs', import.meta.url))
const START_MS = 30_000
const CLOSE_MS = 10_000

/** @typedef {import('@shopify-tokens/core').TokenEvent} TokenEvent */

/** One of the two apps, as the narrator holds it: a process that can be started, asked to end, or killed. */
export class App {
  /** @type {import('node:child_process').ChildProcess | null} */
  #process = null
  #environment
  #onEvent
  url = ''

  /**
   * @param {'express' | 'nest'} name
   * @param {Record<string, string | undefined>} environment
   * @param {(app: App, event: TokenEvent) => void} onEvent
   */
  constructor(name, environment, onEvent) {
    this.name = name
    this.#environment = environment
    this.#onEvent = onEvent
  }

  get isUp() {
    return this.#process !== null
  }

  /** Starts it on `port`, or on a free one when that is taken. Rejects with what it said when it does not come up. */
  async start(port = Number(new URL(this.url).port)) {
    const env = { ...this.#environment, DEMO_PORT: String(port) }
    const child = fork(PROCESS, [this.name], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk) => (said = (said + chunk).slice(-4_000)))
    }
    this.#process = child
    child.once('exit', () => (this.#process = null))
    this.url = await new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`The ${this.name} app did not start.\n${said}`))
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
