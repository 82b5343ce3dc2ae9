import type { Fault } from '@shopify-tokens/testing'
import { fault } from '@shopify-tokens/testing'
import { seeded } from '../seeded.js'
import { closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

const MINUTE_MS = 60_000

const TROUBLE: readonly Fault[] = [
  { kind: 'html', when: 'before' },
  { kind: 'html', when: 'after' },
  { kind: 'error-520', when: 'after' },
  { kind: 'reset', when: 'after' },
  { kind: 'truncated' },
  { kind: 'throttled', retryAfter: 20 },
  { kind: 'missing', field: 'refresh_token' },
  { kind: 'missing', field: 'expires_in' },
  { kind: 'field', field: 'expires_in', value: '3600.0' },
  { kind: 'status', status: 423 },
  { kind: 'twice', answer: 'second' },
]

describe('a month of a busy shop served by two processes', () => {
  it.each([1])(
    'brings a working token every time, about one renewal per lifetime, and no mark (seed %d)',
    async (seed) => {
      const random = seeded(seed)
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
      const app = await managedApp({ random, shopifyOptions: { replay: pick(['same-pair', 'new-pair']) } })
      const { clock, shopify, store } = app
      const processes = [app.tokens, app.anotherProcess()]
      await app.seed()
      shopify.faults.choose(({ endpoint }) => (endpoint === 'token' && random() < 0.2 ? pick(TROUBLE) : undefined))

      const month = clock.monotonic() + 30 * 24 * HOUR_MS
      while (clock.monotonic() < month) {
        await clock.advance(Math.ceil(random() * 2 * MINUTE_MS))
        if (random() < 0.01)
          store.next(pick(['get', 'put']), pick([fault.failBefore(), fault.failAfter(), fault.delay(2_500)]))
        const served = pick(processes)
        // Only a store that is away when nothing usable is at hand may cost an answer.
        const token = await served.token(shop).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
          return served.token(shop)
        })
        expect(shopify.accessTokenState(shop, token.value)).toBe('live')
      }
      for (const each of processes) await each.close()

      const lifetimes = 30 * 24
      expect(app.eventsOf('token.rotated').length).toBeLessThan(lifetimes * 1.6)
      expect(app.eventsOf('reauthorization.required')).toEqual([])
      expect((await app.record())?.attempts.length).toBeLessThanOrEqual(2)
      expect(clock.sleepers).toBe(0)
    },
    180_000,
  )
})
