import { untilAborted } from '../deadline.js'
import { isShopifyTokenError } from '../errors.js'
import type { Want } from '../renewal/want.js'
import type { Gate } from '../renewal/gate.js'
import type { ShopifyTime } from '../renewal/shopify-time.js'
import type { Flight } from '../renewal/single-flight.js'
import { areGranted } from '../scopes.js'
import type { Shop } from '../shop.js'
import type { AccessToken, ServableRecord } from '../token.js'

type Outcome = (shop: Shop, flight: Flight<ServableRecord>, signal: AbortSignal | undefined) => Promise<AccessToken>

/** What a caller gets of the gate's runs, most of which somebody else has begun for reasons of their own. */
export class SharedRuns {
  readonly #gate: Gate
  readonly #time: ShopifyTime
  readonly #outcome: Outcome

  /** `outcome`: waits for a run, and keeps what it brings at hand. */
  constructor(gate: Gate, time: ShopifyTime, outcome: Outcome) {
    this.#gate = gate
    this.#time = time
    this.#outcome = outcome
  }

  /** Waits for the run under way or a new one. */
  async token(shop: Shop, want: Want, signal: AbortSignal | undefined): Promise<AccessToken> {
    for (let turn = 1; ; turn++) {
      const { flight, joined } = this.#gate.share(shop, want)
      try {
        const token = await this.#outcome(shop, flight, signal)
        if (!joined || turn > 1 || this.#helps(token, want)) return token
      } catch (error) {
        // The run that was joined ended for want of an ID token, which this caller has; or for another's, which this
        // caller has nothing to do with.
        const isOthers = joined && isShopifyTokenError(error)
        const codes = want.idToken === undefined ? ENDED_FOR_AN_ID_TOKEN : ENDED_FOR_WANT_OF_ID_TOKEN
        if (!isOthers || !codes.has(error.code)) throw error
        return this.#outcome(shop, await this.#gate.alone(shop, want), signal)
      }
      await untilAborted(this.#gate.end(shop, flight), signal)
    }
  }

  /**
   * Whether the token of a run that somebody else began is what this caller wants. Such a run says nothing of the token
   * refused to this caller, unless it began since, nor of scopes; and one that cannot store its pair may have outlived it.
   */
  #helps(token: AccessToken, { rejected, scopes = [] }: Want): boolean {
    return token.value !== rejected && this.#time.now() < token.expiresAt && areGranted(token.scopes, scopes)
  }
}

const ENDED_FOR_WANT_OF_ID_TOKEN: ReadonlySet<string> = new Set([
  'ERR_REAUTHORIZATION_REQUIRED',
  'ERR_INVALID_SESSION_TOKEN',
  'ERR_FLEET_SUSPECT',
])

const ENDED_FOR_AN_ID_TOKEN: ReadonlySet<string> = new Set(['ERR_INVALID_SESSION_TOKEN'])
