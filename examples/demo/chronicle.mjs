/**
 * What happened, in order: the one source of the account in the terminal and of the page. Holds no token.
 *
 * @typedef {{ kind: 'chapter', title: string, why: string }} Chapter A new part of the story.
 * @typedef {object} Note One thing that happened and why it matters.
 * @property {'note'} kind
 * @property {'good' | 'plain' | 'trouble' | 'wrong'} tone `wrong`: the story did not come out as told.
 * @property {string} text
 * @property {string} [why]
 * @property {string} [app]
 * @property {string} [shop]
 * @typedef {object} Answered A request of a merchant's browser to one of the apps.
 * @property {'request'} kind
 * @property {string} app
 * @property {string} shop
 * @property {boolean} ok
 * @property {number} ms
 * @typedef {object} Pair A token pair in the database. Instants like `at`.
 * @property {'pair'} kind
 * @property {string} shop
 * @property {string | null} by The app that brought it; `null`: it was there before.
 * @property {number} obtainedAt
 * @property {number} renewAt
 * @property {number} expiresAt
 * @typedef {{ kind: 'revoked', shop: string }} Revoked Shopify took the shop's access token back.
 * @typedef {{ kind: 'outage', began: boolean }} Outage The token endpoint went away, or came back.
 * @typedef {{ kind: 'app', app: string, url: string, up: boolean }} AppState
 * @typedef {object} Totals
 * @property {'totals'} kind
 * @property {number} answered
 * @property {number} failed
 * @property {number} tokenCalls
 * @property {number} rotated
 * @property {number} acquired
 * @typedef {{ kind: 'end' }} End
 * @typedef {Chapter | Note | Answered | Pair | Revoked | Outage | AppState | Totals | End} Happening
 * @typedef {Happening & { at: number }} Entry `at`: milliseconds since the beginning.
 */

/** How many entries of a kind are kept for a page that is opened late. */
const KEPT = { chapter: 1, note: 60, request: 900, pair: 40, revoked: 6, outage: 6, app: 6, totals: 1, end: 1 }

export class Chronicle {
  #beganAt = Date.now()
  /** @type {Map<Happening['kind'], Entry[]>} */
  #kept = new Map()
  /** @type {Set<(entry: Entry) => void>} */
  #listeners = new Set()

  /** Milliseconds since the beginning. */
  get now() {
    return Date.now() - this.#beganAt
  }

  /** Turns an instant in epoch milliseconds into one of this chronicle. @param {number} epochMs */
  instant(epochMs) {
    return epochMs - this.#beganAt
  }

  /** @param {Happening} happening */
  tell(happening) {
    const entry = { ...happening, at: this.now }
    const kept = this.#kept.get(entry.kind) ?? []
    this.#kept.set(entry.kind, [...kept, entry].slice(-KEPT[entry.kind]))
    for (const listener of this.#listeners) listener(entry)
  }

  /** @param {(entry: Entry) => void} listener @returns {() => void} */
  subscribe(listener) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What is kept, oldest first. */
  history() {
    return [...this.#kept.values()].flat().sort((one, other) => one.at - other.at)
  }
}
