// Preloaded into an app as it is deployed: its requests to shops go to the fake Shopify.
import { fakeShopifyFetch } from '@shopify-tokens/testing'

globalThis.fetch = fakeShopifyFetch(process.env.FAKE_SHOPIFY_URL)
