import { aRecord } from '@shopify-tokens/testing'
import { fingerprint } from '@shopify-tokens/core'
import { CLIENT_SECRET, closeAll, managedApp, shop, someShops } from './managed-app.js'

afterEach(closeAll)

const DAY_MS = 86_400_000

it('renews the shops that are due, once, and leaves the others alone', async () => {
  const app = await managedApp()
  const [idle, visited] = someShops(2) as [typeof shop, typeof shop]
  await app.seed({ shop: idle, ageMs: 21 * DAY_MS, sweepAt: app.clock.now() - DAY_MS })
  await app.seed({ shop: visited, sweepAt: app.clock.now() + DAY_MS })

  expect(await app.tokens.sweep()).toEqual({ visited: 1, renewed: 1, failed: 0, failures: [] })

  expect(app.shopify.counters(idle).tokenCalls).toBe(1)
  expect(app.shopify.counters(visited).tokenCalls).toBe(0)
  expect(app.eventsOf('token.rotated')).toEqual([expect.objectContaining({ shop: idle, trigger: 'keep-alive' })])
  expect(await app.tokens.sweep()).toEqual({ visited: 0, renewed: 0, failed: 0, failures: [] })
})

it('exchanges a non-expiring token for a pair', async () => {
  const app = await managedApp()
  const accessToken = app.shopify.mintNonExpiring(shop)
  await app.put(aRecord.nonExpiring({ accessToken, secretId: fingerprint(CLIENT_SECRET) }))
  expect(await app.tokens.migrate(shop)).toMatchObject({ shop })
  expect(await app.record()).toMatchObject({ kind: 'expiring', attempts: [], mark: null })
  expect(app.eventsOf('shop.migrated')).toHaveLength(1)
})
