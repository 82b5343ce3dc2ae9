import { type CallbackFlaw, InvalidCallbackError } from '../errors.js'
import type { Secret } from '../secret.js'
import type { OAuthCallback } from './callback.js'

export interface AppSignaturesOptions {
  readonly clientId: string
  /** Every secret that may have signed, the current one first. */
  readonly clientSecrets: readonly Secret[]
  /** Shopify's time in epoch milliseconds. */
  readonly now: () => number
  /** Hears of every callback that is refused. */
  readonly onRefused?: ((flaw: CallbackFlaw) => void) | undefined
}

/** Verifies what Shopify has signed with the app's client secret, and signs what the app gives to browsers. */
export class AppSignatures {
  readonly clientId: string
  readonly #onRefused: AppSignaturesOptions['onRefused']

  constructor({ clientId, onRefused }: AppSignaturesOptions) {
    this.clientId = clientId
    this.#onRefused = onRefused
  }

  /** @throws InvalidCallbackError `ERR_INVALID_CALLBACK` */
  verifyCallback(_query: unknown): OAuthCallback {
    throw this.refuseCallback('malformed')
  }

  /** Reports a callback that failed a check made elsewhere, and makes the error for it. */
  refuseCallback(flaw: CallbackFlaw): InvalidCallbackError {
    this.#onRefused?.(flaw)
    return new InvalidCallbackError(flaw)
  }

  verifyWebhook(_body: Uint8Array, _hmac: unknown): boolean {
    return false
  }

  seal(_purpose: string, _payload: object, _lifeMs: number): string {
    return ''
  }

  open(_purpose: string, _text: unknown): object | null {
    return null
  }
}
