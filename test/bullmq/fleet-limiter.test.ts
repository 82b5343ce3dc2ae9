import { fleetLimiter } from '@shopify-tokens/bullmq'
import fc from 'fast-check'

const SECOND_MS = 1_000

/**
 * The most jobs that BullMQ begins within one second, wherever it begins. A count begins with a job and ends `duration`
 * later; the worst second takes in the end of a count, all but its first job, and every count that begins within it.
 */
function mostWithinASecond({ max, duration }: { max: number; duration: number }): number {
  return max - 1 + max * Math.ceil(SECOND_MS / duration)
}

const rates = fc
  .record({ perSecond: fc.integer({ min: 1, max: 1_000 }), inFlight: fc.integer({ min: 0, max: 1_000 }) })
  .filter(({ perSecond, inFlight }) => inFlight < perSecond)

it('lets no second see more than the rate, with all jobs that were in hand before it', () => {
  fc.assert(
    fc.property(rates, (rate) => {
      expect(mostWithinASecond(fleetLimiter(rate)) + rate.inFlight).toBeLessThanOrEqual(rate.perSecond)
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
  ['Unknown option: max', { max: 1 }],
])('a wrong %s is refused by name', (name, rate) => {
  expect(() => fleetLimiter(rate as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: expect.stringContaining(name) }),
  )
})
