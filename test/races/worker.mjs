// One process of an app: renews through the built packages, and tells its parent what it sees.
import { createTokenManager, parseShop, readEnvironment } from '@shopify-tokens/core'
import { fakeShopifyFetch, FaultyStore } from '@shopify-tokens/testing'
import { openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'

const { shopifyUrl, environment, callers, shop: name } = JSON.parse(process.argv[2])
const shop = parseShop(name)
const configuration = readEnvironment(environment)
const opened = openTokenStore({ configuration, announce: () => undefined })
const store = new FaultyStore(opened.store)
const { clientId, clientSecret } = configuration
const tokens = createTokenManager({
  ...{ clientId, clientSecret, store, sealing: opened.keyRing, apiVersion: '2026-10' },
  fetch: fakeShopifyFetch(shopifyUrl),
})

const tell = (message) => process.send(message)

/** Asks for the shop's name through the Admin API, as a request handler would. */
async function request() {
  const { data } = await tokens.forShop(shop).graphql('{ shop { name } }')
  if (data === undefined) throw new Error('no data')
}

async function race() {
  const calls = Array.from({ length: callers }, () => request())
  // One look to serve, one to decide, and two more at a row that another process is renewing: it waits, or would have
  // called Shopify by now.
  const looked = setInterval(() => {
    if (store.count('get') < 4) return
    clearInterval(looked)
    tell({ type: 'waiting' })
  }, 5)
  const results = await Promise.allSettled(calls)
  clearInterval(looked)
  const failures = results.filter(({ status }) => status === 'rejected').map(({ reason }) => String(reason))
  tell({ type: 'done', failures, puts: store.count('put') })
}

process.on('message', (message) => {
  if (message === 'race') void race()
  if (message === 'leave') {
    void tokens
      .close()
      .then(() => opened.close())
      .then(() => process.disconnect())
  }
})
await opened.ready()
tell({ type: 'ready' })
