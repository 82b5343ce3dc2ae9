import { fingerprint, parseShop } from '@shopify-tokens/core'
import { aRecord } from '@shopify-tokens/testing'
import { DEMO_APP, DURATIONS } from './demo-app.mjs'

/**
 * The three shops: one whose pair is fresh, one whose access token ended while nobody was looking, and one whose
 * merchant has never opened the app.
 */
export const SHOPS = {
  moss: parseShop('maple-and-moss.myshopify.com'),
  coffee: parseShop('harbor-coffee.myshopify.com'),
  lantern: parseShop('paper-lantern.myshopify.com'),
}

/** A shop's name as its merchant says it. @param {string} shop */
export function shopName(shop) {
  return shop.slice(0, shop.indexOf('.'))
}

const MOSS_AGE_MS = 8_000
const COFFEE_AGE_MS = 27_000

/**
 * Installs the app and writes the two pairs that earlier visits would have left in the database.
 *
 * @param {import('@shopify-tokens/testing').FakeShopify} shopify
 * @param {import('./rows.mjs').Rows} rows
 */
export async function settle(shopify, rows) {
  await rows.put(SHOPS.moss, pairOf(shopify, SHOPS.moss, MOSS_AGE_MS))
  await rows.put(SHOPS.coffee, pairOf(shopify, SHOPS.coffee, COFFEE_AGE_MS))
  shopify.installShop(SHOPS.lantern)
}

/**
 * @param {import('@shopify-tokens/testing').FakeShopify} shopify
 * @param {string} shop
 * @param {number} ageMs
 */
function pairOf(shopify, shop, ageMs) {
  const minted = shopify.mintPair(shop, { ageMs })
  return aRecord.expiring({
    accessToken: minted.accessToken,
    refreshToken: minted.refreshToken,
    scopes: minted.scopes,
    obtainedAt: minted.issuedAt,
    confirmedAt: minted.issuedAt,
    expiresAt: minted.accessTokenExpiresAt,
    renewAt: minted.accessTokenExpiresAt - DURATIONS.refreshAheadMs,
    refreshTokenExpiresAt: minted.refreshTokenExpiresAt,
    secretId: fingerprint(DEMO_APP.clientSecret),
  })
}
