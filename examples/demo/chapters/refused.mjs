/** @type {import('../story.mjs').Chapter} */
export async function refused(stage, narrator, shop) {
  narrator.chapter(
    'Shopify refuses a token that looked good',
    'The access token is revoked on the other side, and nobody is told. Both apps still hold it.',
  )
  const { express, nest, traffic } = stage
  await traffic.exclude(shop)
  const { accessToken } = await stage.rows.pair(shop)
  const before = stage.shopify.counters(shop)
  stage.shopify.revokeToken(shop, accessToken)
  stage.tellRevoked(shop)

  const first = await traffic.ask(express, shop)
  const after = stage.shopify.counters(shop)
  narrator.claim(
    first.ok && refusals(after) > refusals(before) && after.tokenCalls === before.tokenCalls + 1,
    `401 from Shopify, one renewal, one repetition: the merchant got an answer after ${first.ms} ms`,
    { app: express.name, shop, why: 'The repair happens inside the request; the merchant sees a page, not an error.' },
  )
  const second = await traffic.ask(nest, shop)
  const { tokenCalls } = stage.shopify.counters(shop)
  narrator.claim(
    second.ok && tokenCalls === after.tokenCalls,
    `found the new pair in the database, token calls: ${tokenCalls - after.tokenCalls}`,
    { app: nest.name, shop, why: 'Renewing once more would retire what the other app has just brought.' },
  )
  traffic.include(shop)
}

/** @param {import('@shopify-tokens/testing').ShopCounters} counters */
function refusals({ adminCallsByStatus }) {
  return adminCallsByStatus['401'] ?? 0
}
