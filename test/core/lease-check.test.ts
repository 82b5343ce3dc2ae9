import { fault } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

/** The attempt in the row is a lease that counts from the reading of the row; others overtake it after 15 seconds. */
describe('an attempt whose lease would not outlast a request', () => {
  it('sends nothing when reading the row was slow, and is made anew', async () => {
    const { eventsOf, record, seed, store, tokenCalls, tokens } = await managedApp({ storeTimeoutMs: 12_000 })
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('get', fault.pass(), fault.delay(10_500))

    await tokens.token(shop)

    expect(tokenCalls()).toBe(1)
    // The attempt, its withdrawal, the attempt again, and the pair.
    expect(store.count('put')).toBe(4)
    expect((await record())?.attempts).toEqual([])
    expect(eventsOf('grant.inDoubt')).toEqual([])
  })

  it('sends nothing when the process was paused after writing it', async () => {
    const { clock, seed, store, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const { put } = store
    let puts = 0
    store.put = async (...given) => {
      const result = await put.apply(store, given)
      // Time passes without anybody waking in between: a laptop's lid, a stopped virtual machine.
      if (++puts === 1) jest.spyOn(clock, 'monotonic').mockReturnValueOnce(clock.monotonic() + 10_001)
      return result
    }

    await tokens.token(shop)

    expect(tokenCalls()).toBe(1)
    expect(store.count('put')).toBe(4)
  })

  it('is never sent while the store stays slow, and the caller is told when to come back', async () => {
    const { record, seed, store, tokenCalls, tokens } = await managedApp({ storeTimeoutMs: 12_000 })
    await seed({ ageMs: 2 * HOUR_MS })
    store.always('put', fault.delay(10_500))

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_LEASE_TIMEOUT', retryable: true })
    await tokens.close()

    expect(tokenCalls()).toBe(0)
    expect(await record()).toMatchObject({ mark: null, coolDown: null, attempts: [] })
  })

  it('is not presented as the next candidate either, after another refresh token has turned out dead', async () => {
    const { put, seed, shopify, store, tokenCalls, tokens } = await managedApp({ storeTimeoutMs: 12_000 })
    const row = await seed({ ageMs: 2 * HOUR_MS })
    await put({ ...row, alternates: [row.refreshToken], refreshToken: 'shprt_of_yesterday' })
    store.next('put', fault.pass(), fault.delay(10_500))

    const token = await tokens.token(shop)

    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(tokenCalls()).toBe(2)
    expect(store.count('put')).toBe(5)
  })
})
