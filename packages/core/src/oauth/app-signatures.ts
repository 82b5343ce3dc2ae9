import { type CallbackFlaw, InvalidCallbackError, InvalidWebhookError, type WebhookFlaw } from '../errors.js'
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
  /** Hears of every webhook that is refused. */
  readonly onWebhookRefused?: ((flaw: WebhookFlaw) => void) | undefined
}

/** Verifies what Shopify has signed with the app's client secret, and signs what the app gives to browsers. */
export class AppSignatures {
  readonly clientId: string
  readonly #onRefused: AppSignaturesOptions['onRefused']
  readonly #onWebhookRefused: AppSignaturesOptions['onWebhookRefused']

  constructor({ clientId, onRefused, onWebhookRefused }: AppSignaturesOptions) {
    this.clientId = clientId
    this.#onRefused = onRefused
    this.#onWebhookRefused = onWebhookRefused
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

  /** Reports a webhook that failed a check, and makes the error for it. */
  refuseWebhook(flaw: WebhookFlaw): InvalidWebhookError {
    this.#onWebhookRefused?.(flaw)
    return new InvalidWebhookError(flaw)
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
