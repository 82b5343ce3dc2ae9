import { createHash } from 'node:crypto'
import { InvalidOptionError, isShopifyTokenError } from '../errors.js'
import type { WebhookDelivery } from '../oauth/webhook.js'
import { areSameScopes } from '../scopes.js'
import type { TokenManager } from '../token-manager.js'

/** What a webhook means for the tokens of its shop. Rejects when it could not be done and Shopify should send it again. */
export type TokenWork = (tokens: TokenManager, delivery: WebhookDelivery) => Promise<void>

/** The topics that concern tokens. @see docs/shopify-protocol.md, "Webhooks" */
export const TOKEN_TOPICS: ReadonlyMap<string, TokenWork> = new Map<string, TokenWork>([
  ['app/uninstalled', (tokens, { shop, triggeredAt }) => remove(tokens, shop, triggeredAt)],
  // It tells of an uninstall 48 hours before, and the app may have been installed again since: its own instant says nothing.
  ['shop/redact', (tokens, { shop }) => remove(tokens, shop, undefined)],
  ['app/scopes_update', learnScopes],
])

async function remove(tokens: TokenManager, shop: WebhookDelivery['shop'], at: number | undefined): Promise<void> {
  await tokens.removeIfUninstalled(shop, { at })
}

/** The body does not name the shop, so that one body could be sent in the name of every shop: once a minute must do. */
const SCOPES_EVERY_MS = 60_000

/**
 * The scopes on record come with each renewal, so a renewal brings those that the webhook tells of. A shop that has none
 * of our tokens, or the same scopes on record, is left alone; what fails, or is refused because this process renews
 * nothing, is mended by the next renewal.
 */
async function learnScopes(tokens: TokenManager, { shop, payload }: WebhookDelivery): Promise<void> {
  try {
    const { scopes } = await tokens.token(shop)
    if (areSameScopes(scopes, toldScopes(payload) ?? [])) return
    const name = createHash('sha256').update(shop).digest('hex')
    const once = { clientId: tokens.signatures.clientId, id: `scopes:${name}` }
    const { outcome } = await tokens.deliveries.begin(once, SCOPES_EVERY_MS)
    if (outcome === 'run') await tokens.force(shop)
  } catch (error) {
    if (!isShopifyTokenError(error) && !(error instanceof InvalidOptionError)) throw error
  }
}

/** @see Shopify: "Webhooks" (`app/scopes_update`) */
function toldScopes(payload: unknown): readonly string[] | null {
  const { current } = (payload ?? {}) as { readonly current?: unknown }
  return Array.isArray(current) && current.every((scope) => typeof scope === 'string') ? current : null
}
