import { parseShop, type Shop } from '@shopify-tokens/core'
import { aRecord, FAKE_EPOCH } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { TokenCache } from '../../packages/core/src/serving/token-cache.js'

const NEVER = -Infinity
const shop = (name: string): Shop => parseShop(`${name}.myshopify.com`)
const record = aRecord.expiring()

describe('the cache', () => {
  it('hands out the token of a record, resolved already', async () => {
    const cache = new TokenCache(2, DEFAULT_DURATIONS)

    const entry = cache.set(shop('a'), record, 0, NEVER)

    expect(cache.get(shop('a'))).toBe(entry)
    expect(entry.token.value).toBe(record.accessToken)
    expect(await entry.promise).toBe(entry.token)
  })

  it('has nothing for a shop that it has not seen', () => {
    expect(new TokenCache(2, DEFAULT_DURATIONS).get(shop('a'))).toBeUndefined()
  })

  it('forgets the shop that was used longest ago when it is full', () => {
    const cache = new TokenCache(2, DEFAULT_DURATIONS)
    cache.set(shop('a'), record, 0, NEVER)
    cache.set(shop('b'), record, 0, NEVER)
    cache.get(shop('a'))

    cache.set(shop('c'), record, 0, NEVER)

    expect(cache.get(shop('a'))).toBeDefined()
    expect(cache.get(shop('b'))).toBeUndefined()
    expect(cache.get(shop('c'))).toBeDefined()
  })

  it('forgets what it is told to forget', () => {
    const cache = new TokenCache(2, DEFAULT_DURATIONS)
    cache.set(shop('a'), record, 0, NEVER)

    cache.delete(shop('a'))

    expect(cache.get(shop('a'))).toBeUndefined()
  })

  it('replaces an entry by a later one', () => {
    const cache = new TokenCache(2, DEFAULT_DURATIONS)
    cache.set(shop('a'), record, 0, NEVER)

    const later = cache.set(shop('a'), aRecord.expiring(), 10, NEVER)

    expect(cache.get(shop('a'))).toBe(later)
  })
})

describe('an entry', () => {
  const cache = new TokenCache(10, { ...DEFAULT_DURATIONS, minRemainingMs: 15_000, revalidateMs: 30_000 })

  it('of an expiring token is due as its record says, and usable until too little life is left', () => {
    const entry = cache.set(
      shop('a'),
      aRecord.expiring({ obtainedAt: FAKE_EPOCH - 3_600_000, expiresAt: FAKE_EPOCH, renewAt: FAKE_EPOCH - 7 }),
      100,
      NEVER,
    )

    expect(entry).toMatchObject({
      renewAt: FAKE_EPOCH - 7,
      usableUntil: FAKE_EPOCH - 15_000,
      revalidateAt: 30_100,
      readBeforeUseAt: Infinity,
    })
  })

  it('is not due before the quiet time is over', () => {
    const due = aRecord.expiring({ renewAt: FAKE_EPOCH })

    expect(cache.set(shop('a'), due, 0, FAKE_EPOCH + 5).renewAt).toBe(FAKE_EPOCH + 5)
    expect(cache.set(shop('a'), due, 0, FAKE_EPOCH - 5).renewAt).toBe(FAKE_EPOCH)
  })

  it('of a non-expiring token is never due, and must be read before it is used soon', () => {
    expect(cache.set(shop('a'), aRecord.nonExpiring(), 100, NEVER)).toMatchObject({
      renewAt: Infinity,
      usableUntil: Infinity,
      revalidateAt: 5_100,
      readBeforeUseAt: 5_100,
    })
  })

  it('of a non-expiring token is read again no later than others are', () => {
    const eager = new TokenCache(1, { ...DEFAULT_DURATIONS, revalidateMs: 1_000, nonExpiringCacheMs: 5_000 })

    expect(eager.set(shop('a'), aRecord.nonExpiring(), 0, NEVER)).toMatchObject({
      revalidateAt: 1_000,
      readBeforeUseAt: 5_000,
    })
  })

  it('of a static token is never due, and read again behind the request', () => {
    expect(cache.set(shop('a'), aRecord.static(), 100, NEVER)).toMatchObject({
      renewAt: Infinity,
      usableUntil: Infinity,
      revalidateAt: 30_100,
      readBeforeUseAt: Infinity,
    })
  })
})
