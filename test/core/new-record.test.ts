import type { ExpiringRecord, Grant } from '@shopify-tokens/core'
import { aCoolDown, FAKE_EPOCH } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import type { MintedPair } from '../../packages/core/src/oauth/token-response.js'
import { type Minting, newRecord } from '../../packages/core/src/renewal/new-record.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SENT = FAKE_EPOCH

const PAIR: MintedPair = {
  kind: 'expiring',
  accessToken: 'shpat_new',
  refreshToken: 'shprt_new',
  lifetimeMs: HOUR_MS,
  refreshLifetimeMs: 90 * DAY_MS,
  scopes: ['read_products'],
}
const REFRESH: Minting = {
  grant: 'refresh',
  presented: 'shprt_before',
  sentAt: SENT,
  confirmedAt: SENT + 200,
  requests: 1,
  secretId: '0011223344556677',
  previousScopes: ['read_orders'],
  previous: null,
  forRejected: false,
  replayPossible: false,
  coolDown: null,
}
const build = (
  tokens: Partial<MintedPair> = {},
  minting: Partial<Minting> = {},
): { record: ExpiringRecord; doubtful: boolean } => {
  const { record, doubtful } = newRecord({ ...PAIR, ...tokens }, { ...REFRESH, ...minting }, DEFAULT_DURATIONS, () => 0)
  return { record: record as ExpiringRecord, doubtful }
}

describe('a refreshed pair', () => {
  it('becomes a record that counts from when the request was sent', () => {
    expect(build()).toEqual({
      doubtful: false,
      record: {
        kind: 'expiring',
        accessToken: 'shpat_new',
        refreshToken: 'shprt_new',
        scopes: ['read_products'],
        obtainedAt: SENT,
        confirmedAt: SENT + 200,
        expiresAt: SENT + HOUR_MS,
        renewAt: SENT + HOUR_MS - 300_000,
        refreshTokenExpiresAt: SENT + 90 * DAY_MS,
        secretId: '0011223344556677',
        alternates: [],
        predecessor: 'shprt_before',
        mintedForRejected: false,
        attempts: [],
        mark: null,
        coolDown: null,
        sweepAt: null,
      },
    })
  })

  it('keeps the scopes on record when the answer names none', () => {
    expect(build({ scopes: null }).record.scopes).toEqual(['read_orders'])
    expect(build({ scopes: [] }).record.scopes).toEqual([])
  })

  it('remembers that a refused token was the reason, and the pause that goes with it', () => {
    const coolDown = aCoolDown({ scope: 'rejected' })

    expect(build({}, { forRejected: true, coolDown }).record).toMatchObject({ mintedForRejected: true, coolDown })
  })

  it('whose refresh token has an unknown life is taken to have 30 days', () => {
    expect(build({ refreshLifetimeMs: null }).record.refreshTokenExpiresAt).toBe(SENT + 30 * DAY_MS)
  })

  it.each<[what: string, tokens: Partial<MintedPair>, minting: Partial<Minting>, expiresAt: number]>([
    ['whose life is unknown', { lifetimeMs: null }, {}, SENT + HOUR_MS],
    ['whose life is too short', { lifetimeMs: 14_999 }, {}, SENT + 14_999],
    ['whose life is over', { lifetimeMs: 0 }, {}, SENT],
    ['whose life was over before it began', { lifetimeMs: -5_000 }, {}, SENT],
    ['that may be a replay', {}, { replayPossible: true }, SENT + HOUR_MS],
  ])('%s is stored as due, to be renewed once more', (_what, tokens, minting, expiresAt) => {
    const { record, doubtful } = build(tokens, minting)

    expect(doubtful).toBe(true)
    expect(record).toMatchObject({ renewAt: SENT, expiresAt, refreshToken: 'shprt_new' })
  })

  it('with just enough life is not doubted', () => {
    expect(build({ lifetimeMs: 15_000 }).doubtful).toBe(false)
  })

  it('that took several requests is renewed when it is due', () => {
    expect(build({}, { requests: 3 }).record.renewAt).toBe(SENT + HOUR_MS - 300_000)
  })
})

describe('an acquired pair', () => {
  it.each<Grant>(['id-token', 'code', 'migration'])('by %s has no predecessor', (grant) => {
    expect(build({}, { grant, presented: 'secret' }).record.predecessor).toBeNull()
  })

  it.each<Grant>(['id-token', 'code'])(
    'by %s that took several requests is renewed once the first can no longer arrive',
    (grant) => {
      expect(build({}, { grant, requests: 2 }).record.renewAt).toBe(SENT + 75_000)
      expect(build({}, { grant, requests: 1 }).record.renewAt).toBe(SENT + HOUR_MS - 300_000)
    },
  )

  it('by migration that took several requests is renewed when it is due, because each brings the same', () => {
    expect(build({}, { grant: 'migration', requests: 2 }).record.renewAt).toBe(SENT + HOUR_MS - 300_000)
  })
})

describe('a token of client credentials', () => {
  const requested = (lifetimeMs: number | null, minting: Partial<Minting> = {}) =>
    newRecord(
      { kind: 'client-credentials', accessToken: 'shpat_day', lifetimeMs, scopes: null },
      { ...REFRESH, grant: 'client-credentials', presented: 'the client id', ...minting },
      DEFAULT_DURATIONS,
      () => 0,
    )

  it('becomes a record that ends, and is due five minutes before', () => {
    expect(requested(24 * HOUR_MS, { requests: 2, replayPossible: true })).toEqual({
      doubtful: false,
      record: {
        kind: 'client-credentials',
        accessToken: 'shpat_day',
        scopes: ['read_orders'],
        obtainedAt: SENT,
        confirmedAt: SENT + 200,
        expiresAt: SENT + 24 * HOUR_MS,
        renewAt: SENT + 24 * HOUR_MS - 300_000,
        secretId: '0011223344556677',
        mintedForRejected: false,
        attempts: [],
        mark: null,
        coolDown: null,
        sweepAt: null,
      },
    })
  })

  it('whose life is unknown is taken to last what is documented', () => {
    expect(requested(null)).toMatchObject({ doubtful: false, record: { expiresAt: SENT + 86_399_000 } })
  })

  it.each([14_999, 0])('whose life is too short is doubted: %p ms', (lifetimeMs) => {
    expect(requested(lifetimeMs)).toMatchObject({ doubtful: true, record: { expiresAt: SENT + lifetimeMs } })
  })

  it('remembers that a refused token was the reason', () => {
    expect(requested(HOUR_MS, { forRejected: true }).record).toMatchObject({ mintedForRejected: true })
  })
})

describe('a token without an end', () => {
  it('becomes a non-expiring record', () => {
    const minted = { kind: 'non-expiring', accessToken: 'shpat_old', scopes: null } as const

    const { record, doubtful } = newRecord(minted, { ...REFRESH, grant: 'id-token' }, DEFAULT_DURATIONS, () => 0)

    expect(doubtful).toBe(false)
    expect(record).toEqual({
      kind: 'non-expiring',
      accessToken: 'shpat_old',
      scopes: ['read_orders'],
      obtainedAt: SENT,
      confirmedAt: SENT + 200,
      secretId: '0011223344556677',
      attempts: [],
      mark: null,
      coolDown: null,
      sweepAt: null,
    })
  })
})

describe('an early look that the pair before had planned, because a lost acquisition may still arrive', () => {
  const planned = { obtainedAt: SENT - 10_000, renewAt: SENT + 65_000 }

  it('stays planned', () => {
    expect(build({}, { previous: planned }).record.renewAt).toBe(SENT + 65_000)
  })

  it.each([
    ['is over', { obtainedAt: SENT - 75_000, renewAt: SENT }],
    ['was an ordinary renewal', { obtainedAt: SENT - 600_000, renewAt: SENT + 65_000 }],
  ])('is not taken over when it %s', (_what, previous) => {
    expect(build({}, { previous }).record.renewAt).toBe(SENT + HOUR_MS - 300_000)
  })
})
