/**
 * @typedef {import('@shopify-tokens/core').TokenEvent} TokenEvent
 * @typedef {Extract<TokenEvent, { type: 'token.rotated' | 'token.acquired' }>} Renewed
 */

/**
 * Whether an event tells of the shop's new pair.
 *
 * @param {string} shop
 * @returns {(event: TokenEvent) => event is Renewed}
 */
export function isRenewed(shop) {
  /** @param {TokenEvent} event @returns {event is Renewed} */
  return (event) => (event.type === 'token.rotated' || event.type === 'token.acquired') && event.shop === shop
}
