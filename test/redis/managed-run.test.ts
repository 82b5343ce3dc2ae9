import { isHeld, type Lock } from '@shopify-tokens/core'
import { RedisLock } from '@shopify-tokens/redis'
import { type FakeClock, fault, FaultyStore } from '@shopify-tokens/testing'
import { Redis } from 'ioredis6'
import { closeAll, HOUR_MS, managedApp, shop } from '../core/managed-app.js'
import { describeWithOwnServers, type OwnServer, startRedis } from '../own-servers.js'
import { describeWithServer, redisWithPrefix } from '../servers.js'
import { clients, type OpenedClient } from './clients.js'

const opened: OpenedClient[] = []

afterEach(async () => {
  for (const client of opened.splice(0)) client.close()
  await closeAll()
})

/** Time stands still while Redis is asked, as while Shopify is. */
function watched(clock: FakeClock, lock: Lock, onHeld: () => void = () => undefined): Lock {
  return {
    tryAcquire: clock.watch(async (resource: string, leaseMs: number) => {
      const answer = await lock.tryAcquire(resource, leaseMs)
      if (isHeld(answer)) {
        onHeld()
        return answer
      }
      return {
        remainingMs: clock.watch(() => answer.remainingMs()),
        release: clock.watch(() => answer.release()),
      }
    }),
  }
}

describeWithServer('Redis', 'two processes with a RedisLock', () => {
  const { url, prefix } = redisWithPrefix()

  afterAll(async () => {
    const admin = new Redis(url)
    const keys = await admin.keys(`${prefix}*`)
    admin.disconnect()
    expect(keys).toEqual([])
  })

  it.each(clients)('on %s call Shopify once, and the one that waits writes nothing', async (_name, open) => {
    const connect = async (): Promise<Lock> => {
      const client = await open(url)
      opened.push(client)
      return new RedisLock(client.client, { prefix })
    }
    const { anotherProcess, clock, seed, shopify, store, tokenCalls } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    let waits = (): void => undefined
    const waiting = new Promise<void>((resolve) => (waits = resolve))
    const secondStore = new FaultyStore(store, { clock })
    const first = anotherProcess({ lock: watched(clock, await connect()) })
    const second = anotherProcess({ lock: watched(clock, await connect(), waits), store: secondStore })

    // The second reads the row before the first has announced its attempt there: only the lock can stop it.
    let token = Promise.resolve('')
    store.next(
      'put',
      fault.meanwhile(() => {
        token = second.token(shop).then(({ value }) => value)
        return waiting
      }),
    )
    const { value } = await first.token(shop)

    expect(await token).toBe(value)
    expect(shopify.accessTokenState(shop, value)).toBe('live')
    expect(tokenCalls()).toBe(1)
    expect(secondStore.count('put')).toBe(0)
    await Promise.all([first.close(), second.close()])
  })
})

describeWithOwnServers(['Redis'], 'a RedisLock that loses its Redis', () => {
  let server: OwnServer

  beforeEach(async () => {
    server = await startRedis()
  }, 20_000)

  afterEach(() => server.stop())

  it.each(clients)('on %s in the middle of a renewal gives way to the attempt in the row', async (_name, open) => {
    const client = await open(server.url)
    opened.push(client)
    const { anotherProcess, clock, eventsOf, seed, shopify, tokenCalls } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const tokens = anotherProcess({ lock: watched(clock, new RedisLock(client.client)) })
    const hold = shopify.hold('token')

    const renewal = tokens.token(shop)
    await hold.arrived()
    expect(eventsOf('lock.unavailable')).toHaveLength(0)
    const noticed = client.disconnected()
    await server.halt('immediate')
    await noticed
    hold.release()

    expect(shopify.accessTokenState(shop, (await renewal).value)).toBe('live')
    await clock.settle()
    expect(eventsOf('lock.unavailable')).toHaveLength(1)

    await clock.advance(2 * HOUR_MS)
    expect(shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
    expect(eventsOf('lock.unavailable')).toHaveLength(2)
    expect(eventsOf('token.rotated')).toHaveLength(2)
    expect(tokenCalls()).toBe(2)
    await tokens.close()
  })

  it.each(clients)('on %s because it no longer answers goes on without it', async (_name, open) => {
    const client = await open(server.url)
    opened.push(client)
    const { anotherProcess, eventsOf, seed, shopify, tokenCalls } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const tokens = anotherProcess({ lock: new RedisLock(client.client) })
    server.freeze()

    const { value } = await tokens.token(shop)

    expect(shopify.accessTokenState(shop, value)).toBe('live')
    expect(eventsOf('lock.unavailable')).toHaveLength(1)
    expect(tokenCalls()).toBe(1)
  })
})
