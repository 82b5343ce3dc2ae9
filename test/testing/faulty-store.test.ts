import { MemoryTokenStore, type TokenStore } from '@shopify-tokens/core'
import { aKey, aRecord, fault, FakeClock, FaultyStore, tokenStoreContract } from '@shopify-tokens/testing'

const clock = new FakeClock()

function over(inner: TokenStore = new MemoryTokenStore({ clock })): { inner: TokenStore; store: FaultyStore } {
  return { inner, store: new FaultyStore(inner, { clock }) }
}

tokenStoreContract(
  { describe, it },
  {
    name: 'FaultyStore without faults',
    capabilities: ['deployments', 'deliveries'],
    elapse: (ms) => clock.advance(ms),
    open() {
      const inner = new MemoryTokenStore({ clock })
      return { store: over(inner).store, other: over(inner).store }
    },
  },
)

it('counts the calls and keeps what was asked of each', async () => {
  const { store } = over()
  const key = aKey()
  const record = aRecord.empty()
  await store.get(key)
  await store.put(key, record, 'absent')
  await store.ask(key)
  for await (const row of store.scan({ clientId: key.clientId })) expect(row.key).toEqual(key)
  expect(store.calls).toEqual([
    { verb: 'get', key },
    { verb: 'put', key, record, expected: 'absent' },
    { verb: 'ask', key },
    { verb: 'scan', query: { clientId: key.clientId } },
  ])
  expect([store.count('put'), store.count()]).toEqual([1, 4])
  store.resetCounts()
  expect(store.count()).toBe(0)
})

it('plays the scripted faults one call each, then the standing one', async () => {
  const { store } = over()
  const error = new Error('standing')
  store.next('get', fault.pass(), fault.failBefore()).always('get', fault.failBefore(error))
  await store.get(aKey())
  await expect(store.get(aKey())).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  await expect(store.get(aKey())).rejects.toBe(error)
  store.heal()
  await store.get(aKey())
})

it('fails before a write so that nothing is written, or after it so that the answer is lost', async () => {
  const { store, inner } = over()
  const [before, after] = [aKey(), aKey()]
  store.next('put', fault.failBefore(), fault.failAfter())
  await expect(store.put(before, aRecord.empty(), 'absent')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  await expect(store.put(after, aRecord.empty(), 'absent')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  expect((await inner.get(before)).record).toBeNull()
  expect((await inner.get(after)).record).toEqual(aRecord.empty())
})

it('hangs until it is healed, and the write of a call that hung before it arrives late', async () => {
  const { store, inner } = over()
  const key = aKey()
  store.next('put', fault.hangBefore())
  const late = store.put(key, aRecord.empty(), 'absent')
  await clock.settle()
  expect((await inner.get(key)).version).toBe('absent')
  await inner.put(key, aRecord.removed(), 'absent')
  store.heal()
  await expect(late).resolves.toMatchObject({ outcome: 'conflict' })
})

it('hangs after a write that has happened', async () => {
  const { store, inner } = over()
  const key = aKey()
  store.next('put', fault.hangAfter())
  const hung = store.put(key, aRecord.empty(), 'absent')
  await clock.settle()
  expect((await inner.get(key)).revision).toBe(1)
  store.heal()
  await expect(hung).resolves.toMatchObject({ outcome: 'written' })
})

it('delays a call by the clock', async () => {
  const { store, inner } = over()
  const key = aKey()
  store.next('put', fault.delay(700))
  const slow = store.put(key, aRecord.empty(), 'absent')
  await clock.advance(699)
  expect((await inner.get(key)).revision).toBe(0)
  await clock.advance(1)
  await expect(slow).resolves.toMatchObject({ outcome: 'written' })
})

it('lets something else happen between a decision and its write', async () => {
  const { store, inner } = over()
  const key = aKey()
  store.next(
    'put',
    fault.meanwhile(() => inner.put(key, aRecord.removed(), 'absent')),
  )
  await expect(store.put(key, aRecord.empty(), 'absent')).resolves.toMatchObject({ outcome: 'conflict' })
})

it('reads what a lagging replica would still have', async () => {
  const { store } = over()
  const key = aKey()
  store.next('get', fault.stale())
  expect((await store.get(key)).record).toBeNull()
  const first = await store.put(key, aRecord.empty(), 'absent')
  if (first.outcome !== 'written') throw new Error('unreachable')
  await store.put(key, aRecord.removed(), first.version)
  store.next('get', fault.stale())
  expect((await store.get(key)).version).toBe(first.version)
  expect((await store.get(key)).record?.kind).toBe('removed')
})

it('fails a scan before its first row', async () => {
  const { store } = over()
  store.next('scan', fault.failBefore())
  await expect(store.scan({ clientId: 'test-app' }).next()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
})
