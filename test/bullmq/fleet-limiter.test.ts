import { fleetLimiter, fleetProcessor, type FleetTokens, planFleet } from '@shopify-tokens/bullmq'
import fc from 'fast-check'
import { closeAll, managedApp, someShops } from '../core/managed-app.js'
import { describeWithServer } from '../servers.js'
import { until } from '../until.js'
import { Bull, VERSIONS } from './bull.js'
import { mostWithinASecond } from './most-within-a-second.js'

const SECOND_MS = 1_000

/**
 * The most jobs that BullMQ begins within one second, wherever it begins. A count begins with a job and ends `duration`
 * later; the worst second takes in the end of a count, all but its first job, and every count that begins within it.
 */
function worstSecond({ max, duration }: { max: number; duration: number }): number {
  return max - 1 + max * Math.ceil(SECOND_MS / duration)
}

const rates = fc
  .record({ perSecond: fc.integer({ min: 1, max: 1_000 }), inFlight: fc.integer({ min: 0, max: 1_000 }) })
  .filter(({ perSecond, inFlight }) => inFlight < perSecond)

describe('the limiter of a fleet', () => {
  it('lets no second see more than the rate, with all jobs that were in hand before it', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        expect(worstSecond(fleetLimiter(rate)) + rate.inFlight).toBeLessThanOrEqual(rate.perSecond)
      }),
    )
  })

  it('gives away little of the rate', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const { max, duration } = fleetLimiter(rate)
        expect((max / duration) * SECOND_MS).toBeGreaterThanOrEqual(0.75 * (rate.perSecond - rate.inFlight))
      }),
    )
  })

  it('is ten a second by default, one by one', () => {
    expect(fleetLimiter()).toEqual({ max: 1, duration: 100 })
  })

  it.each([
    ['perSecond', { perSecond: 0 }],
    ['perSecond', { perSecond: 1_001 }],
    ['inFlight', { inFlight: 10 }],
    ['max', { max: 1 }],
  ])('a wrong %s is refused by name', (name, rate) => {
    expect(() => fleetLimiter(rate as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [name] }) as Error,
    )
  })
})

describeWithServer('Redis', 'the rate of a fleet', () => {
  it.each(VERSIONS)(
    'holds for two workers of %s together',
    async (_name, version) => {
      const bull = new Bull(version)
      const { tokens } = await managedApp()
      const shops = someShops(150)
      const instants: number[] = []
      const instant: FleetTokens = {
        ...tokens,
        forShop: (shop) => tokens.forShop(shop),
        shops: async function* () {
          for (const shop of shops) yield { shop, askedAt: null } as never
        },
        renewIfDue: () => {
          instants.push(Date.now())
          return Promise.resolve('renewed')
        },
      }
      const queue = bull.queue('fleet')
      const options = { concurrency: 5, limiter: fleetLimiter({ perSecond: 60, inFlight: 10 }) }
      for (let worker = 1; worker <= 2; worker += 1) bull.worker(queue, fleetProcessor(queue, instant), options)

      await planFleet(queue, instant, 'due')
      await until(() => instants.length === shops.length, 'every job to be done')

      expect(mostWithinASecond(instants)).toBeLessThanOrEqual(60)
      await bull.close()
      await closeAll()
    },
    60_000,
  )
})
