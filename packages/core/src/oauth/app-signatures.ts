import { createHmac } from 'node:crypto'
import { type CallbackFlaw, InvalidCallbackError, InvalidWebhookError, type WebhookFlaw } from '../errors.js'
import type { Secret } from '../secret.js'
import { parseShop, type Shop } from '../shop.js'
import { type CallbackParameters, type OAuthCallback, readParameters, signedText } from './callback.js'
import { decodeHost } from './host.js'
import { OwnSeal } from './own-seal.js'
import { isSameText } from './same-text.js'

export interface AppSignaturesOptions {
  readonly clientId: string
  /** Every secret that may have signed, the current one first. */
  readonly clientSecrets: readonly Secret[]
  /** Shopify's time in epoch milliseconds. */
  readonly now: () => number
  /** Hears of every callback that is refused. */
  readonly onRefused?: ((flaw: CallbackFlaw) => void) | undefined
  /** Hears of every webhook that is refused. */
  readonly onWebhookRefused?: ((flaw: WebhookFlaw) => void) | undefined
}

/** As the official library has it (docs/shopify-protocol.md, "Verification"). */
const TIMESTAMP_TOLERANCE_MS = 90_000
const TIMESTAMP = /^[0-9]{1,12}$/
const CODE = /^[\x21-\x7e]{1,512}$/
const STATE = /^[\x21-\x7e]{1,255}$/

/**
 * Verifies what Shopify has signed with the app's client secret, and signs what the app gives to browsers. The current
 * secret and the previous one count alike: while two are active, Shopify signs with the older. Does no I/O; compares in
 * constant time.
 *
 * @see docs/shopify-protocol.md, "Verification"
 */
export class AppSignatures {
  readonly clientId: string
  readonly #secrets: readonly Secret[]
  readonly #now: () => number
  readonly #seal: OwnSeal
  readonly #onRefused: AppSignaturesOptions['onRefused']
  readonly #onWebhookRefused: AppSignaturesOptions['onWebhookRefused']

  constructor({ clientId, clientSecrets, now, onRefused, onWebhookRefused }: AppSignaturesOptions) {
    this.clientId = clientId
    this.#secrets = clientSecrets
    this.#now = now
    this.#seal = new OwnSeal(clientId, clientSecrets, now)
    this.#onRefused = onRefused
    this.#onWebhookRefused = onWebhookRefused
  }

  /**
   * Verifies the query of a callback of the authorization code grant: signed by Shopify, at most 90 seconds ago, about a
   * shop. `query`: as any framework has parsed it. Whether this browser has begun the authorization remains to be seen, by
   * the state; the code is not looked at.
   *
   * @throws InvalidCallbackError `ERR_INVALID_CALLBACK`; with the shop, once the signature has proved it
   * @see Shopify: "Implement authorization code grant manually"
   */
  verifyCallback(query: unknown): OAuthCallback {
    const parameters = readParameters(query)
    const signature = parameters?.get('hmac')
    if (parameters === null || signature === undefined) throw this.refuseCallback('malformed')
    if (!this.#signed(signedText(parameters), signature, 'hex')) throw this.refuseCallback('signature')
    return this.#read(parameters)
  }

  /** Reports a callback that failed a check made elsewhere, and makes the error for it. */
  refuseCallback(flaw: CallbackFlaw, shop?: Shop): InvalidCallbackError {
    this.#onRefused?.(flaw)
    return new InvalidCallbackError(flaw, { shop })
  }

  /**
   * Whether Shopify has signed this body: the raw bytes, before any parser. `hmac`: the header `X-Shopify-Hmac-SHA256`, or
   * `shopify-hmac-sha256`. No more than the body is signed: every header may be another's. An empty body never is.
   *
   * @see Shopify: "Verify webhooks"
   */
  verifyWebhook(body: Uint8Array, hmac: unknown): boolean {
    return body.length > 0 && this.#signed(body, hmac, 'base64')
  }

  /** Reports a webhook that failed a check, and makes the error for it. */
  refuseWebhook(flaw: WebhookFlaw): InvalidWebhookError {
    this.#onWebhookRefused?.(flaw)
    return new InvalidWebhookError(flaw)
  }

  /**
   * Signs a payload that a browser keeps for the app, such as a cookie: readable by whoever has it, and unchanged when it
   * comes back. The text may stand in cookies and URLs. Over after `lifeMs` milliseconds. What was sealed for one purpose
   * does not open for another.
   */
  seal(purpose: string, payload: object, lifeMs: number): string {
    return this.#seal.seal(purpose, payload, lifeMs)
  }

  /** The payload of a {@link seal}ed text; `null`: not ours, not for this purpose, changed, or over. Never throws. */
  open(purpose: string, text: unknown): object | null {
    return this.#seal.open(purpose, text)
  }

  #signed(message: string | Uint8Array, signature: unknown, encoding: 'hex' | 'base64'): boolean {
    if (typeof signature !== 'string') return false
    return this.#secrets.some((secret) =>
      isSameText(createHmac('sha256', secret.reveal()).update(message).digest(encoding), signature),
    )
  }

  /** What signed parameters say. */
  #read(parameters: CallbackParameters): OAuthCallback {
    const timestamp = parameters.get('timestamp') ?? ''
    if (!TIMESTAMP.test(timestamp)) throw this.refuseCallback('malformed')
    const shop = shopOf(parameters.get('shop'))
    const isRecent = Math.abs(this.#now() - Number(timestamp) * 1000) <= TIMESTAMP_TOLERANCE_MS
    if (!isRecent) throw this.refuseCallback('expired', shop)
    if (shop === undefined) throw this.refuseCallback('shop')
    // RFC 6749 section 4.1.2.1.
    if (parameters.get('error') === 'access_denied') throw this.refuseCallback('denied', shop)
    const [code = '', state = ''] = [parameters.get('code'), parameters.get('state')]
    if (!CODE.test(code) || !STATE.test(state)) throw this.refuseCallback('malformed', shop)
    return { shop, code, state, host: decodeHost(parameters.get('host'), shop) }
  }
}

function shopOf(parameter: string | undefined): Shop | undefined {
  try {
    return parseShop(parameter)
  } catch {
    return undefined
  }
}
