import { MemoryTokenStore, type TokenStore } from '@shopify-tokens/core'
import { announcedStore } from '@shopify-tokens/redis'
import { aKey, aRecord } from '@shopify-tokens/testing'
import { Redis } from 'ioredis6'
import { describeWithOwnServers, type OwnServer, startRedis } from '../own-servers.js'
import { until } from '../until.js'
import { clients, type OpenedClient } from './clients.js'
import { Ear } from './ear.js'

describeWithOwnServers(['Redis'], 'a store whose writes are announced', () => {
  let server: OwnServer
  const opened: OpenedClient[] = []
  beforeEach(async () => {
    server = await startRedis()
  }, 20_000)
  afterEach(async () => {
    for (const client of opened.splice(0)) client.close()
    await server.stop()
  })

  async function announced(
    open: (typeof clients)[number][1],
    inner: TokenStore,
    errors: unknown[] = [],
    url = server.url,
  ): Promise<TokenStore> {
    const [publisher, subscriber] = await Promise.all([open(url), open(url)])
    opened.push(publisher, subscriber)
    return announcedStore(inner, {
      publisher: publisher.client,
      subscriber: subscriber.client,
      onError: (error) => errors.push(error),
    })
  }

  it.each(clients)(
    'on %s goes on without Redis, says that nothing is announced, and is announced again when Redis is back',
    async (_name, open) => {
      const inner = new MemoryTokenStore()
      const errors: unknown[] = []
      const store = await announced(open, inner)
      const other = await announced(open, inner, errors)
      const ear = await Ear.on(store)
      for (let round = 0; round < 2; round += 1) {
        const [before, meanwhile] = [aKey(), aKey()]
        await other.put(before, aRecord.expiring(), 'absent')
        await ear.hears(before)

        await server.halt('immediate')
        await ear.untilLive(false)
        // Until the publisher has noticed, what it sends is lost without an error, or fails.
        errors.length = 0
        await until(async () => {
          await other.put(aKey(), aRecord.expiring(), 'absent')
          return errors.length > 0
        }, 'an announcement fails')
        await other.put(meanwhile, aRecord.expiring(), 'absent')
        expect(errors).toHaveLength(1)

        await server.resume()
        await ear.untilLive()
        // Nothing of what was not sent then is sent now; what is written from now on is.
        ear.heard.length = 0
        await until(async () => {
          await other.put(aKey(), aRecord.expiring(), 'absent')
          return ear.heard.length > 0
        }, 'a write is announced again')
        expect(ear.heard.map(({ shop }) => shop)).not.toContain(meanwhile.shop)
      }
      await ear.close()
    },
    60_000,
  )

  it.each(clients)('on %s answers writes while Redis hangs', async (_name, open) => {
    const inner = new MemoryTokenStore()
    const store = await announced(open, inner)
    const ear = await Ear.on(store)
    server.freeze()
    expect(await store.put(aKey(), aRecord.expiring(), 'absent')).toMatchObject({ outcome: 'written' })
    await ear.close()
    server.thaw()
  })

  it.each(clients)('on %s tells when Redis refuses to announce, and to be listened to', async (_name, open) => {
    const admin = new Redis(server.url)
    try {
      await admin.call('ACL', 'SETUSER', 'default', 'resetchannels')
    } finally {
      admin.disconnect()
    }
    const errors: unknown[] = []
    const store = await announced(open, new MemoryTokenStore(), errors)

    const watch = store.watch?.(() => undefined)
    await until(() => errors.length === 1, 'the subscription is refused')
    expect(watch?.isLive()).toBe(false)
    expect(await store.put(aKey(), aRecord.expiring(), 'absent')).toMatchObject({ outcome: 'written' })
    await until(() => errors.length === 2, 'the announcement is refused')
    for (const error of errors) expect(String(error)).toContain('NOPERM')
    await watch?.close()
  })
})
