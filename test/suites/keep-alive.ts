import type { ManagedTokensOptions } from '@shopify-tokens/core'
import { DAY_MS, idle } from '../core/idle-shops.js'
import { CLIENT_ID, CLIENT_SECRET, HOUR_MS, managedApp, shop } from '../core/managed-app.js'

/** An app whose framework has opened a manager by itself. */
export interface OpenedApp {
  close(): Promise<unknown>
}

/** The same behaviour, whichever framework opens the manager. */
export function describeKeepAlive(open: (options: ManagedTokensOptions) => Promise<OpenedApp>): void {
  async function idleApp(options: Partial<ManagedTokensOptions>) {
    const backend = await managedApp()
    const { clock, shopify, store } = backend
    await idle(backend, [shop])
    const opened = await open({
      ...{ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, store, sealing: 'unsealed-tokens-readable-in-store' },
      ...{ clock, fetch: clock.watch((input, init) => shopify.fetch(input, init)), random: () => 0.5 },
      ...options,
    })
    return { ...backend, opened }
  }

  describe('a shop that nobody visits', () => {
    it('is renewed by an app that opened its manager over a store', async () => {
      const { clock, opened, tokenCalls } = await idleApp({})
      await clock.sleep(60_000)
      expect(tokenCalls()).toBe(1)

      await opened.close()
      await clock.sleep(21 * DAY_MS)
      expect(tokenCalls()).toBe(1)
    })

    it('is renewed as often as the option keepAlive says', async () => {
      const { clock, opened, tokenCalls } = await idleApp({ keepAlive: { sweepEveryMs: 1_000 } })
      await clock.sleep(1_000)
      expect(tokenCalls()).toBe(1)
      await opened.close()
    })

    it.each<Partial<ManagedTokensOptions>>([{ keepAlive: false }, { renewal: 'lazy' }, { renewal: 'never' }])(
      'is left alone with %j',
      async (options) => {
        const { clock, opened, store } = await idleApp(options)
        await clock.sleep(HOUR_MS)
        expect(store.count()).toBe(0)
        await opened.close()
      },
    )
  })
}
