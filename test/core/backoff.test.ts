import { aCoolDown, FAKE_EPOCH } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import type { Misconfigured, Transient, Unavailable } from '../../packages/core/src/oauth/refusal.js'
import { coolDownAfter, coolDownAfterRejection, retryDelayMs } from '../../packages/core/src/renewal/backoff.js'

const NOW = FAKE_EPOCH
const outage: Transient = { outcome: 'transient', status: 503, retryAfterMs: undefined, conclusive: false }
const frozen: Unavailable = {
  outcome: 'unavailable',
  status: 402,
  error: undefined,
  understood: true,
  retryAfterMs: undefined,
}
const misconfigured: Misconfigured = { outcome: 'misconfigured', status: 401, error: 'invalid_client' }

describe('the pause before a repetition', () => {
  it.each([
    [1, 400],
    [2, 800],
    [3, 1_600],
    [10, 204_800],
    [11, 204_800],
    [1_000, 204_800],
  ])('number %i lies anywhere between none and %i ms', (n, cap) => {
    expect(retryDelayMs(n, 200, undefined, () => 0)).toBe(0)
    expect(retryDelayMs(n, 200, undefined, () => 0.5)).toBe(cap / 2)
    expect(retryDelayMs(n, 200, undefined, () => 0.999_999)).toBe(cap - 1)
  })

  it('is never shorter than the server asked for', () => {
    expect(retryDelayMs(1, 200, 5_000, () => 0.999)).toBe(5_000)
    expect(retryDelayMs(1, 200, 10, () => 0.5)).toBe(200)
    expect(retryDelayMs(1, 200, 0, () => 0)).toBe(0)
  })
})

describe('the cool-down after a run without success', () => {
  const lasts = (failures: number, refusal: Transient | Unavailable | Misconfigured): number =>
    coolDownAfter(refusal, failures === 0 ? null : aCoolDown({ failures }), NOW, DEFAULT_DURATIONS).until - NOW

  it.each([
    [0, 2_000],
    [1, 4_000],
    [2, 8_000],
    [4, 32_000],
    [5, 60_000],
    [1_000, 60_000],
  ])('of an outage or a wrong configuration after %i earlier ones is %i ms', (failures, ms) => {
    expect(lasts(failures, outage)).toBe(ms)
    expect(lasts(failures, misconfigured)).toBe(ms)
  })

  it.each([
    [0, 2_000],
    [5, 64_000],
    [10, 2_048_000],
    [11, 3_600_000],
    [1_000, 3_600_000],
  ])('of a frozen shop after %i earlier ones is %i ms', (failures, ms) => {
    expect(lasts(failures, frozen)).toBe(ms)
  })

  it('counts the failures', () => {
    expect(coolDownAfter(outage, null, NOW, DEFAULT_DURATIONS)).toMatchObject({ failures: 1, scope: 'all' })
    expect(coolDownAfter(outage, aCoolDown({ failures: 3 }), NOW, DEFAULT_DURATIONS).failures).toBe(4)
  })

  it('does not count pauses for refused tokens as failures', () => {
    const previous = aCoolDown({ failures: 7, scope: 'rejected' })

    expect(coolDownAfter(outage, previous, NOW, DEFAULT_DURATIONS)).toEqual({
      until: NOW + 2_000,
      failures: 1,
      scope: 'all',
      stuck: false,
    })
  })

  it('is never shorter than the server asked for, whatever its cap', () => {
    expect(lasts(0, { ...outage, retryAfterMs: 600_000 })).toBe(600_000)
    expect(lasts(0, { ...frozen, retryAfterMs: 600_000 })).toBe(600_000)
    expect(lasts(0, { ...outage, retryAfterMs: 1 })).toBe(2_000)
  })
})

describe('the pause for refused tokens', () => {
  it('is half the longest cool-down, and all of it from the second time on', () => {
    const first = coolDownAfterRejection(null, NOW, DEFAULT_DURATIONS)
    const second = coolDownAfterRejection(first, NOW, DEFAULT_DURATIONS)
    const third = coolDownAfterRejection(second, NOW, DEFAULT_DURATIONS)

    expect(first).toEqual({ until: NOW + 1_800_000, failures: 1, scope: 'rejected', stuck: false })
    expect(second).toEqual({ until: NOW + 3_600_000, failures: 2, scope: 'rejected', stuck: false })
    expect(third).toEqual({ until: NOW + 3_600_000, failures: 3, scope: 'rejected', stuck: false })
  })

  it('does not count failures of another kind', () => {
    expect(coolDownAfterRejection(aCoolDown({ failures: 5 }), NOW, DEFAULT_DURATIONS).failures).toBe(1)
  })

  it('is a whole number of milliseconds', () => {
    expect(coolDownAfterRejection(null, NOW, { ...DEFAULT_DURATIONS, maxCoolDownMs: 3 }).until).toBe(NOW + 2)
  })
})
