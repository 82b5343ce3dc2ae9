import type { ReauthorizationReason } from '../errors.js'
import type { Shop } from '../shop.js'

/** With these, the shop has no app to open. */
const WANTS_INSTALLING: ReadonlySet<ReauthorizationReason> = new Set(['not-installed', 'removed', 'app-not-installed'])

/**
 * Where to send the merchant of a shop that needs them: opening the app brings a session token, installing it a code or
 * a session token, and with it the new pair.
 */
export function reauthorizationUrl(reason: ReauthorizationReason, shop: Shop, clientId: string): string {
  return WANTS_INSTALLING.has(reason) ? installUrl(shop, clientId) : openingUrl(shop, clientId)
}

/**
 * The app in the shop's admin.
 *
 * @see the official libraries: `getEmbeddedAppUrl` of @shopify/shopify-api
 */
function openingUrl(shop: Shop, clientId: string): string {
  return `https://${shop}/admin/apps/${encodeURIComponent(clientId)}`
}

/**
 * The page on which a merchant installs the app.
 *
 * @see the official libraries: `redirectToInstallPage` of @shopify/shopify-app-react-router
 */
function installUrl(shop: Shop, clientId: string): string {
  return `https://${shop}/admin/oauth/install?${new URLSearchParams({ client_id: clientId }).toString()}`
}
