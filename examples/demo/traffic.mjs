import { setTimeout as pause } from 'node:timers/promises'

const PATIENCE_MS = 15_000
/** A request somewhere every so often: six to seven a second. */
const RHYTHM_MS = 150
const STREAM_MS = 50

/** @typedef {import('./app.mjs').App} App */
/** @typedef {import('@shopify-tokens/core').Shop} Shop */

/** The merchants' browsers: every request carries a session token, as App Bridge sends it, and asks for the shop's data. */
export class Traffic {
  answered = 0
  failed = 0
  /** The longest that a request has taken, in milliseconds; whoever measures sets it to 0. */
  slowest = 0
  #chronicle
  #sessionToken
  /** @type {Set<Shop>} */
  #shops = new Set()
  /** @type {Set<App>} */
  #apps
  /** @type {Set<Promise<unknown>>} */
  #running = new Set()
  #turn = 0
  #isOver = false
  /** @type {NodeJS.Timeout | undefined} */
  #timer

  /**
   * @param {import('./chronicle.mjs').Chronicle} chronicle
   * @param {(shop: Shop) => string} sessionToken
   * @param {readonly App[]} apps
   */
  constructor(chronicle, sessionToken, apps) {
    this.#chronicle = chronicle
    this.#sessionToken = sessionToken
    this.#apps = new Set(apps)
  }

  /** Begins the steady stream: the shops in turn, each at one app and then at the other. */
  begin() {
    this.#timer = setInterval(() => {
      const pairs = [...this.#shops].flatMap((shop) => [...this.#apps].map((app) => /** @type {const} */ ([app, shop])))
      const pair = pairs[this.#turn++ % Math.max(1, pairs.length)]
      if (pair !== undefined) void this.ask(...pair)
    }, RHYTHM_MS)
  }

  /** Sends nothing more, whoever asks, and waits for what is under way. */
  async end() {
    this.#isOver = true
    clearInterval(this.#timer)
    await this.settled()
  }

  /** @param {Shop} shop */
  include(shop) {
    this.#shops.add(shop)
  }

  /** Sends the shop's merchants away for a while and waits for what they have asked. @param {Shop} shop */
  async exclude(shop) {
    this.#shops.delete(shop)
    await this.settled()
  }

  /** A load balancer's part: sends everybody to the other app. @param {App} app */
  async drain(app) {
    this.#apps.delete(app)
    await this.settled()
  }

  /** @param {App} app */
  restore(app) {
    this.#apps.add(app)
  }

  async settled() {
    await Promise.all(this.#running)
  }

  /** `count` requests at each app in the same moment. @param {number} count @param {Shop} shop */
  burst(count, shop) {
    return Promise.all([...this.#apps].flatMap((app) => Array.from({ length: count }, () => this.ask(app, shop))))
  }

  /** Requests at the apps in turn, for so long; resolves when all are answered. @param {number} ms @param {Shop} shop */
  async stream(ms, shop) {
    /** @type {ReturnType<Traffic['ask']>[]} */
    const asked = []
    for (const end = performance.now() + ms; performance.now() < end && !this.#isOver; await pause(STREAM_MS)) {
      const next = [...this.#apps][asked.length % this.#apps.size]
      if (next !== undefined) asked.push(this.ask(next, shop))
    }
    return Promise.all(asked)
  }

  /** One request. Never rejects: a failure is an answer. @param {App} app @param {Shop} shop */
  ask(app, shop) {
    if (this.#isOver) return Promise.resolve({ ok: false, ms: 0 })
    const asking = this.#ask(app, shop).finally(() => this.#running.delete(asking))
    this.#running.add(asking)
    return asking
  }

  /** @param {App} app @param {Shop} shop */
  async #ask(app, shop) {
    const startedAt = performance.now()
    const status = await this.#status(app, shop)
    const ms = Math.round(performance.now() - startedAt)
    const ok = status === 200
    this.slowest = Math.max(this.slowest, ms)
    if (ok) this.answered += 1
    else this.failed += 1
    this.#chronicle.tell({ kind: 'request', app: app.name, shop, ok, ms })
    if (!ok) {
      const text = `a request was not answered as it should be (${status === 0 ? 'no answer' : String(status)})`
      this.#chronicle.tell({ kind: 'note', tone: 'wrong', app: app.name, shop, text })
    }
    return { ok, ms }
  }

  /** @param {App} app @param {Shop} shop */
  async #status(app, shop) {
    try {
      const response = await fetch(new URL('/shop', app.url), {
        headers: { authorization: `Bearer ${this.#sessionToken(shop)}` },
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      const body = await response.text()
      return response.status === 200 && !body.includes(shop.slice(0, shop.indexOf('.'))) ? 0 : response.status
    } catch {
      return 0
    }
  }
}
