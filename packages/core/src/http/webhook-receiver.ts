import { createHash } from 'node:crypto'
import { isShopifyTokenError } from '../errors.js'
import { verifyWebhook, type WebhookDelivery, type WebhookRequest } from '../oauth/webhook.js'
import { DELIVERY_ID, type DeliveryKey } from '../ports/delivery-log.js'
import type { TokenManager } from '../token-manager.js'
import { errorAnswer } from './error-answer.js'
import { problemReply } from './error-reply.js'
import type { HttpReply } from './http-reply.js'
import { type ManagerSource, managerOf } from './manager-source.js'
import { TOKEN_TOPICS } from './token-topics.js'
import { parseWebhookOptions, type WebhookOptions, type WebhookSettings } from './webhook-options.js'

/** From when on a run that has not come back counts as interrupted. Far above the five seconds that Shopify waits. */
const RUN_LEASE_MS = 120_000
const COME_BACK_SECONDS = 10

/**
 * Answers webhooks: verified, each delivery once, and without a token, because by the time that an app learns of its
 * uninstallation its tokens are dead. The app's handler comes first; then the tokens of the shop are removed, or its
 * scopes learned, where the topic asks for it.
 *
 * A delivery that a process has finished is not run again, whichever process gets it; one whose handler has failed, or
 * whose process has died, is. Shopify sends what was not answered with 2xx eight times more, over four hours.
 *
 * @see Shopify: "Verify webhooks", "Troubleshooting webhooks"; docs/webhooks.md
 */
export class WebhookReceiver {
  readonly #source: ManagerSource
  readonly #settings: WebhookSettings
  #hasWarned = false

  /** @throws InvalidOptionError `ERR_INVALID_OPTION` */
  constructor(tokens: ManagerSource, options: WebhookOptions = {}) {
    this.#source = tokens
    this.#settings = parseWebhookOptions(options)
  }

  /**
   * Resolves with the answer, whatever comes: 200 when it is done, 503 while another process is at it, 500 after a
   * handler has failed, and the answers of `docs/errors.md`. Rejects only when the manager cannot be had and its source
   * does not say why in an error of this project.
   */
  async receive(request: WebhookRequest): Promise<HttpReply> {
    try {
      const tokens = await managerOf(this.#source)
      return await this.#done(tokens, verifyWebhook(request, tokens.signatures))
    } catch (error) {
      this.#explain(error)
      const reply = replyTo(error)
      if (reply === null) throw error
      return reply
    }
  }

  async #done(tokens: TokenManager, delivery: WebhookDelivery): Promise<HttpReply> {
    const handler = this.#settings.handlers.get(delivery.topic)
    const work = TOKEN_TOPICS.get(delivery.topic)
    if (handler === undefined && work === undefined) return DONE
    const { deliveries } = tokens
    const key = keyOf(tokens, delivery)
    const state = await deliveries.begin(key, RUN_LEASE_MS)
    if (state.outcome === 'done') return DONE
    if (state.outcome === 'running') return RUNNING
    const handled = await attempt(() => handler?.(delivery))
    const worked = await attempt(() => work?.(tokens, delivery))
    for (const failure of [handled, worked]) if (failure !== null) this.#tell(failure.error, delivery)
    const isDone = handled === null && worked === null
    const noted = isDone ? deliveries.finish(key, state.claim) : deliveries.release(key, state.claim)
    // While the log is away nothing is lost: the claim ends, and what comes once more runs once more.
    await noted.catch(() => undefined)
    if (isDone) return DONE
    return (handled === null && worked !== null ? replyTo(worked.error) : null) ?? FAILED
  }

  /** A listener must not decide what Shopify is answered. */
  #tell(error: unknown, delivery: WebhookDelivery): void {
    void attempt(() => this.#settings.onError(error, delivery))
  }

  /** The likeliest mistake of a first day; whoever made it does not see the answer. */
  #explain(error: unknown): void {
    if (this.#hasWarned || !isShopifyTokenError(error) || error.code !== 'ERR_WEBHOOK_BODY_PARSED') return
    this.#hasWarned = true
    process.emitWarning(error.message, 'ShopifyTokensWarning')
  }
}

/** `null`: it went well. */
async function attempt(work: () => unknown): Promise<{ readonly error: unknown } | null> {
  try {
    await work()
    return null
  } catch (error) {
    return { error }
  }
}

/** Ids come from outside, and next to each other with those of the app's own. */
function keyOf({ signatures: { clientId } }: TokenManager, { id }: WebhookDelivery): DeliveryKey {
  const name = `webhook:${id}`
  if (DELIVERY_ID.test(name)) return { clientId, id: name }
  return { clientId, id: `webhook:${createHash('sha256').update(id).digest('hex')}` }
}

/** `null`: not an error of this project. */
function replyTo(error: unknown): HttpReply | null {
  const answer = errorAnswer(error, { authPath: '/' })
  return answer === null ? null : problemReply(answer)
}

function plain(status: number, headers: HttpReply['headers'] = {}): HttpReply {
  return { status, headers: { 'cache-control': 'no-store', 'content-type': 'text/plain', ...headers }, body: '' }
}

const DONE = plain(200)
const FAILED = plain(500)
const RUNNING = plain(503, { 'retry-after': String(COME_BACK_SECONDS) })
