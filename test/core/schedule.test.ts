import { type Attempt, fingerprint } from '@shopify-tokens/core'
import { aCoolDown, aMark, anAttempt, aRecord, FAKE_EPOCH } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import {
  dueAt,
  freshness,
  isAhead,
  isPausing,
  isUsable,
  markIsStale,
  renewAtOf,
  sweepAtOf,
} from '../../packages/core/src/renewal/schedule.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NOW = FAKE_EPOCH

describe('freshness', () => {
  const record = aRecord.expiring({ expiresAt: NOW + HOUR_MS, renewAt: NOW + HOUR_MS - 300_000 })

  it.each<[at: number, expected: string]>([
    [NOW, 'fresh'],
    [record.renewAt - 1, 'fresh'],
    [record.renewAt, 'due'],
    [record.expiresAt - 15_000, 'due'],
    [record.expiresAt - 14_999, 'expired'],
    [record.expiresAt, 'expired'],
    [NOW + 30 * DAY_MS, 'expired'],
  ])('at %i is %s', (at, expected) => {
    expect(freshness(record, at, DEFAULT_DURATIONS)).toBe(expected)
  })

  it.each([aRecord.nonExpiring(), aRecord.static()])('of a $kind token never ends', (endless) => {
    expect(freshness(endless, Number.MAX_SAFE_INTEGER, DEFAULT_DURATIONS)).toBe('fresh')
  })

  it('goes straight from fresh to expired when the window is shorter than the life that must be left', () => {
    const short = aRecord.expiring({ expiresAt: NOW + HOUR_MS, renewAt: NOW + HOUR_MS - 1_000 })

    expect(freshness(short, NOW + HOUR_MS - 15_000, DEFAULT_DURATIONS)).toBe('fresh')
    expect(freshness(short, NOW + HOUR_MS - 14_999, DEFAULT_DURATIONS)).toBe('expired')
  })
})

describe('dueAt', () => {
  it('is what the record says', () => {
    expect(dueAt(aRecord.expiring({ obtainedAt: NOW, renewAt: NOW + 5 }), NOW)).toBe(NOW + 5)
    expect(dueAt(aRecord.expiring({ obtainedAt: NOW + 60_000, renewAt: NOW + 5 }), NOW)).toBe(NOW + 5)
  })

  it('is now for a record obtained in the future: a wrong clock has written it', () => {
    expect(dueAt(aRecord.expiring({ obtainedAt: NOW + 60_001, renewAt: NOW + HOUR_MS }), NOW)).toBe(NOW)
  })

  it('is not put off by a wrong clock', () => {
    expect(dueAt(aRecord.expiring({ obtainedAt: NOW + 60_001, renewAt: NOW - 5 }), NOW)).toBe(NOW - 5)
  })
})

describe('isAhead', () => {
  it('says yes to more than a minute, which clocks that are right do not differ by', () => {
    expect(isAhead(NOW + 60_001, NOW)).toBe(true)
    expect(isAhead(NOW + 60_000, NOW)).toBe(false)
    expect(isAhead(NOW - HOUR_MS, NOW)).toBe(false)
  })
})

describe('isUsable', () => {
  it('hands out a token of a short life until an eighth of it is left, and none without any', () => {
    const short = aRecord.expiring({ obtainedAt: NOW - 7_000, expiresAt: NOW + 1_000 })

    expect(isUsable(short, NOW, DEFAULT_DURATIONS)).toBe(true)
    expect(isUsable(short, NOW + 1, DEFAULT_DURATIONS)).toBe(false)
    expect(isUsable(aRecord.expiring({ obtainedAt: NOW, expiresAt: NOW }), NOW, DEFAULT_DURATIONS)).toBe(false)
  })

  it('says yes to a token with enough life left, due or not', () => {
    expect(isUsable(aRecord.expiring({ renewAt: NOW - 1 }), NOW, DEFAULT_DURATIONS)).toBe(true)
    expect(isUsable(aRecord.static(), NOW, DEFAULT_DURATIONS)).toBe(true)
  })

  it.each([
    aRecord.expiring({ obtainedAt: NOW - HOUR_MS, expiresAt: NOW + 14_999 }),
    aRecord.empty(),
    aRecord.removed(),
    null,
  ])('says no to a row with nothing to hand out: %p', (record) => {
    expect(isUsable(record, NOW, DEFAULT_DURATIONS)).toBe(false)
  })
})

describe('renewAtOf', () => {
  const at = (lifetimeMs: number, refreshAheadMs: number, chance: number): number =>
    renewAtOf(NOW, NOW + lifetimeMs, { refreshAheadMs }, () => chance) - NOW

  it('is refreshAheadMs before the end', () => {
    expect(at(HOUR_MS, 300_000, 0)).toBe(HOUR_MS - 300_000)
  })

  it('is up to a fifth of the head start earlier, by chance', () => {
    expect(at(HOUR_MS, 300_000, 0.5)).toBe(HOUR_MS - 330_000)
    expect(at(HOUR_MS, 300_000, 0.999_999)).toBeGreaterThanOrEqual(HOUR_MS - 360_000)
  })

  it('leaves three quarters of a short life alone', () => {
    expect(at(40_000, 300_000, 0)).toBe(30_000)
    expect(at(40_000, 300_000, 0.999_999)).toBeGreaterThanOrEqual(28_000)
  })

  it('is the end itself when nothing shall be renewed ahead', () => {
    expect(at(HOUR_MS, 0, 0.9)).toBe(HOUR_MS)
  })

  it('is the end itself when the life was over before it began', () => {
    expect(at(-5_000, 300_000, 0.9)).toBe(-5_000)
  })

  it('is a whole number', () => {
    expect(Number.isInteger(at(12_345, 300_000, 0.123_456_789))).toBe(true)
  })
})

describe('sweepAtOf', () => {
  const sweep = (record: Parameters<typeof sweepAtOf>[0]): number | null => sweepAtOf(record, NOW, DEFAULT_DURATIONS)

  it('is for a pair the age at which an idle shop is renewed', () => {
    expect(sweep(aRecord.expiring({ obtainedAt: NOW - 5 * DAY_MS }))).toBe(NOW + 15 * DAY_MS)
  })

  it('is for a pair with a predecessor the same: that is how a renewal leaves it', () => {
    expect(sweep(aRecord.expiring({ obtainedAt: NOW, predecessor: 'before' }))).toBe(NOW + 20 * DAY_MS)
  })

  it.each([
    ['alternates beside a predecessor', { alternates: ['other'], predecessor: 'before' }],
    ['an alternate and no predecessor', { alternates: ['other'], predecessor: null }],
    ['an open attempt', { attempts: [anAttempt()] }],
  ])('is within a day for a pair with %s', (_what, doubt) => {
    expect(sweep(aRecord.expiring({ obtainedAt: NOW, ...doubt }))).toBe(NOW + DAY_MS)
  })

  it('is not put off by doubt when the pair is old', () => {
    const old = aRecord.expiring({ obtainedAt: NOW - 20 * DAY_MS + 1, attempts: [anAttempt()] })

    expect(sweep(old)).toBe(NOW + 1)
  })

  it('is counted from the oldest doubt, so that no other write puts it off', () => {
    const attempts = [anAttempt({ at: NOW - 3 * HOUR_MS }), anAttempt({ at: NOW - 5 * HOUR_MS })]

    expect(sweep(aRecord.expiring({ obtainedAt: NOW, attempts }))).toBe(NOW + DAY_MS - 5 * HOUR_MS)
    expect(sweep(aRecord.nonExpiring({ attempts }))).toBe(NOW + DAY_MS - 5 * HOUR_MS)
  })

  it('is soon for a token whose migration was begun: it may have ended with that, and readers go on serving it', () => {
    const record = aRecord.nonExpiring()
    const migration = (accessToken: string): Attempt =>
      anAttempt({ grant: 'migration', credential: fingerprint(accessToken), at: NOW })

    expect(sweep({ ...record, attempts: [migration(record.accessToken)] })).toBe(NOW + DEFAULT_DURATIONS.lateRequestMs)
    expect(sweep({ ...record, attempts: [migration('the token before')] })).toBe(NOW + DAY_MS)
  })

  it('is within a day of now for an attempt from the future', () => {
    expect(sweep(aRecord.static({ attempts: [anAttempt({ at: NOW + 5 * DAY_MS })] }))).toBe(NOW + DAY_MS)
  })

  it('is at the end of a cool-down, except of one for refused tokens alone', () => {
    const old = { obtainedAt: NOW - 30 * DAY_MS }
    const until = NOW + HOUR_MS

    expect(sweep(aRecord.expiring({ ...old, coolDown: aCoolDown({ until, scope: 'all' }) }))).toBe(until)
    expect(sweep(aRecord.expiring({ ...old, coolDown: aCoolDown({ until, scope: 'suspect' }) }))).toBe(until)
    expect(sweep(aRecord.expiring({ ...old, coolDown: aCoolDown({ until, scope: 'rejected' }) }))).toBe(
      NOW - 10 * DAY_MS,
    )
  })

  it('is a day later for a shop that keeps failing, while there are weeks left', () => {
    const failing = (failures: number, endsAt: number): number | null => {
      const coolDown = aCoolDown({ until: NOW + HOUR_MS, scope: 'all', failures })
      return sweep(aRecord.expiring({ obtainedAt: NOW - 30 * DAY_MS, refreshTokenExpiresAt: endsAt, coolDown }))
    }

    expect(failing(11, NOW + 60 * DAY_MS)).toBe(NOW + HOUR_MS)
    expect(failing(12, NOW + 60 * DAY_MS)).toBe(NOW + DAY_MS)
    expect(failing(99, NOW + 15 * DAY_MS + 1)).toBe(NOW + DAY_MS)
    expect(failing(99, NOW + 15 * DAY_MS)).toBe(NOW + HOUR_MS)
  })

  it('is never for a marked shop past its end, though its last try was before', () => {
    const mark = aMark({ triedAt: NOW - 5 * DAY_MS })
    const old = { obtainedAt: NOW - 91 * DAY_MS, refreshTokenExpiresAt: NOW - DAY_MS, mark }

    expect(sweep(aRecord.expiring(old))).toBeNull()
    expect(sweep(aRecord.expiring({ ...old, refreshTokenExpiresAt: NOW + 1 }))).toBe(NOW - 4 * DAY_MS)
  })

  it('is for a marked shop within a day when its last try is dated in the future', () => {
    expect(sweep(aRecord.expiring({ mark: aMark({ triedAt: NOW + 5 * DAY_MS }) }))).toBe(NOW + DAY_MS)
  })

  it('is for a marked shop a day after its last try', () => {
    const mark = aMark({ triedAt: NOW - HOUR_MS })

    expect(sweep(aRecord.expiring({ mark, attempts: [anAttempt()] }))).toBe(NOW + DAY_MS - HOUR_MS)
  })

  it.each([aRecord.nonExpiring, aRecord.static, aRecord.empty])('is within a day for anything left open', (build) => {
    expect(sweep(build({ attempts: [anAttempt()] }))).toBe(NOW + DAY_MS)
  })

  it.each([
    aRecord.nonExpiring(),
    aRecord.static(),
    aRecord.empty(),
    aRecord.removed(),
    aRecord.removed({ attempts: [anAttempt()] }),
  ])('is never for a row with nothing to do: $kind', (record) => {
    expect(sweep(record)).toBeNull()
  })
})

describe('markIsStale', () => {
  const marked = (triedAt: number, pair: { obtainedAt?: number; refreshTokenExpiresAt?: number } = {}): boolean =>
    markIsStale(aRecord.expiring({ ...pair, mark: aMark({ triedAt }) }), NOW, DEFAULT_DURATIONS)

  it('is so a day after the last try, and not before', () => {
    expect(marked(NOW - DAY_MS)).toBe(true)
    expect(marked(NOW - DAY_MS + 1)).toBe(false)
  })

  it('is not so once the refresh token is past its end', () => {
    const obtainedAt = NOW - 100 * DAY_MS

    expect(marked(NOW - DAY_MS, { obtainedAt, refreshTokenExpiresAt: NOW })).toBe(false)
    expect(marked(NOW - DAY_MS, { obtainedAt, refreshTokenExpiresAt: NOW + 1 })).toBe(true)
  })

  it('is so for the documented 90 days although a shorter life is on record', () => {
    const refreshTokenExpiresAt = NOW - 60 * DAY_MS

    expect(marked(NOW - DAY_MS, { obtainedAt: NOW - 90 * DAY_MS + 1, refreshTokenExpiresAt })).toBe(true)
    expect(marked(NOW - DAY_MS, { obtainedAt: NOW - 90 * DAY_MS, refreshTokenExpiresAt })).toBe(false)
  })

  it('is so when the last try lies in the future: a wrong clock has written it', () => {
    expect(marked(NOW + 60_001)).toBe(true)
    expect(marked(NOW + 60_000)).toBe(false)
  })

  it('is not so without a mark', () => {
    expect(markIsStale(aRecord.expiring(), NOW, DEFAULT_DURATIONS)).toBe(false)
  })
})

describe('isPausing', () => {
  const pausing = (until: number): boolean => isPausing(aCoolDown({ until }), NOW, DEFAULT_DURATIONS)

  it('holds until the cool-down ends', () => {
    expect(pausing(NOW + 1)).toBe(true)
    expect(pausing(NOW)).toBe(false)
  })

  it('holds for the longest cool-down', () => {
    expect(pausing(NOW + DEFAULT_DURATIONS.maxCoolDownMs + 60_000)).toBe(true)
  })

  it('does not hold for a cool-down that ends later than any can', () => {
    expect(pausing(NOW + DEFAULT_DURATIONS.maxCoolDownMs + 60_001)).toBe(false)
  })
})
