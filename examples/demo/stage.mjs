import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { FakeShopify } from '@shopify-tokens/testing'
import { App } from './app.mjs'
import { DEMO_APP, SPEED, TOKEN_ENDPOINT_MS } from './demo-app.mjs'
import { openPage } from './page.mjs'
import { PORTS } from './ports.mjs'
import { Rows } from './rows.mjs'
import { settle, SHOPS } from './shops.mjs'
import { Traffic } from './traffic.mjs'

/** @typedef {import('@shopify-tokens/core').TokenEvent} TokenEvent */
/** @typedef {import('@shopify-tokens/core').Shop} Shop */

const TOTALS_MS = 300
const BEFORE_DUE_MS = 300

/** Everything that the story needs: the fake Shopify, the database, the two apps, the merchants and the page. */
export class Stage {
  /** Last opened, first closed. @type {(() => unknown)[]} */
  #closing = []
  /** @type {Set<(app: App, event: TokenEvent) => void>} */
  #listeners = new Set()
  /** How often each app has brought a pair. @type {Map<string, number>} */
  renewals = new Map()
  rotated = 0
  acquired = 0

  /**
   * Opens everything; when something fails, closes what was open and rejects.
   *
   * @param {import('./chronicle.mjs').Chronicle} chronicle
   */
  static async open(chronicle) {
    /** @type {(() => unknown)[]} */
    const closing = []
    try {
      const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-demo-'))
      closing.unshift(() => rm(folder, { recursive: true, force: true }))
      const { clientId, clientSecret, apiVersion } = DEMO_APP
      const shopify = await FakeShopify.start({ clientId, clientSecret, speed: SPEED })
      closing.unshift(() => shopify.close())
      const environment = {
        SHOPIFY_API_KEY: clientId,
        SHOPIFY_API_SECRET: clientSecret,
        SHOPIFY_API_VERSION: apiVersion,
        SHOPIFY_TOKENS_DATABASE_URL: `sqlite:${join(folder, 'tokens.sqlite')}`,
        SHOPIFY_TOKENS_SEALING_KEYS: `demo:${randomBytes(32).toString('base64')}`,
      }
      const rows = new Rows(environment)
      closing.unshift(() => rows.close())
      const page = await openPage(chronicle, PORTS.page)
      closing.unshift(() => page.close())
      const stage = new Stage(chronicle, { shopify, rows, page, environment, closing })
      await Promise.all([stage.express.start(PORTS.express), stage.nest.start(PORTS.nest)])
      await stage.#begin()
      return stage
    } catch (error) {
      for (const close of closing) await close()
      throw error
    }
  }

  /**
   * @param {import('./chronicle.mjs').Chronicle} chronicle
   * @param {object} parts
   * @param {FakeShopify} parts.shopify
   * @param {Rows} parts.rows
   * @param {{ url: string }} parts.page
   * @param {Record<string, string>} parts.environment
   * @param {(() => unknown)[]} parts.closing
   */
  constructor(chronicle, { shopify, rows, page, environment, closing }) {
    this.chronicle = chronicle
    this.shopify = shopify
    this.rows = rows
    this.page = page
    this.#closing = closing
    shopify.faults.choose(({ endpoint }) =>
      endpoint === 'token' ? { kind: 'slow', ms: TOKEN_ENDPOINT_MS } : undefined,
    )
    const env = { ...process.env, NODE_ENV: 'development', ...environment, FAKE_SHOPIFY_URL: shopify.url }
    this.express = new App('express', env, (app, event) => this.#hear(app, event))
    this.nest = new App('nest', env, (app, event) => this.#hear(app, event))
    this.apps = [this.express, this.nest]
    this.traffic = new Traffic(chronicle, (shop) => shopify.sessionToken(shop), this.apps)
    for (const app of this.apps) closing.unshift(() => app.close())
    closing.unshift(() => this.traffic.end())
  }

  async #begin() {
    await settle(this.shopify, this.rows)
    for (const app of this.apps) this.tellApp(app)
    for (const shop of [SHOPS.moss, SHOPS.coffee]) await this.#tellPair(shop, null)
    const timer = setInterval(() => this.chronicle.tell({ kind: 'totals', ...this.totals() }), TOTALS_MS)
    this.#closing.unshift(() => clearInterval(timer))
    this.traffic.begin()
    this.traffic.include(SHOPS.moss)
  }

  /** Requests that the fake's token endpoint has had, of one shop or of all. @param {Shop} [shop] */
  tokenCalls(shop) {
    return this.shopify.counters(shop).tokenCalls
  }

  totals() {
    const { answered, failed } = this.traffic
    return { answered, failed, tokenCalls: this.tokenCalls(), rotated: this.rotated, acquired: this.acquired }
  }

  /**
   * The next event that `matches`.
   *
   * @template {TokenEvent} Event
   * @param {(event: TokenEvent) => event is Event} matches
   * @returns {Promise<{ app: App, event: Event }>}
   */
  next(matches) {
    return new Promise((resolve) => {
      const listener = (/** @type {App} */ app, /** @type {TokenEvent} */ event) => {
        if (!matches(event)) return
        this.#listeners.delete(listener)
        resolve({ app, event })
      }
      this.#listeners.add(listener)
    })
  }

  /** Resolves shortly before the shop's token comes into its renewal window. @param {Shop} shop */
  async untilDue(shop) {
    const { renewAt } = await this.rows.pair(shop)
    await pause(Math.max(0, renewAt - Date.now() - BEFORE_DUE_MS), undefined, { ref: false })
  }

  /** @param {Shop} shop */
  tellRevoked(shop) {
    this.chronicle.tell({ kind: 'revoked', shop })
  }

  /** @param {boolean} began */
  tellOutage(began) {
    this.chronicle.tell({ kind: 'outage', began })
  }

  /** @param {App} app */
  tellApp({ name, url, isUp }) {
    this.chronicle.tell({ kind: 'app', app: name, url, up: isUp })
  }

  /** Closes what was opened, in the opposite order; the first error is thrown when all is closed. */
  async close() {
    this.chronicle.tell({ kind: 'totals', ...this.totals() })
    this.chronicle.tell({ kind: 'end' })
    /** @type {unknown[]} */
    const errors = []
    for (const close of this.#closing.splice(0)) {
      try {
        await close()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  /** @param {App} app @param {TokenEvent} event */
  #hear(app, event) {
    if (event.type === 'token.rotated') this.rotated += 1
    if (event.type === 'token.acquired') this.acquired += 1
    if (event.type === 'token.rotated' || event.type === 'token.acquired') {
      this.renewals.set(app.name, (this.renewals.get(app.name) ?? 0) + 1)
      this.#tellPair(event.shop, app.name).catch(() => undefined)
    }
    for (const listener of [...this.#listeners]) listener(app, event)
  }

  /** @param {Shop} shop @param {string | null} by */
  async #tellPair(shop, by) {
    const { obtainedAt, renewAt, expiresAt } = await this.rows.pair(shop)
    const instant = (/** @type {number} */ at) => this.chronicle.instant(at)
    const instants = { obtainedAt: instant(obtainedAt), renewAt: instant(renewAt), expiresAt: instant(expiresAt) }
    this.chronicle.tell({ kind: 'pair', shop, by, ...instants })
  }
}
