// The job in plain Node: it runs once, from its checkpoint to its end.
import { parseShop } from '@shopify-tokens/core'
import { fakeShopifyFetch } from '@shopify-tokens/testing'
import { openTokenManager } from '@shopify-tokens/typeorm-store/from-environment'
import { fileCheckpoint } from './file-checkpoint.mjs'
import { syncProducts } from './products-sync.mjs'

const { shop, shopifyUrl, durations, checkpointFile } = JSON.parse(process.argv[2])
const { tokens, close } = openTokenManager(undefined, {
  ...durations,
  fetch: fakeShopifyFetch(shopifyUrl),
  announce: () => undefined,
})
try {
  await tokens.forShop(parseShop(shop)).run(() => syncProducts({ checkpoint: fileCheckpoint(checkpointFile) }))
} finally {
  await close()
}
