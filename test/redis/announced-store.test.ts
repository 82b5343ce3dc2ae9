import { inspect } from 'node:util'
import { MemoryTokenStore, type RecordKey, type TokenStore } from '@shopify-tokens/core'
import { announcedStore, type AnnouncedStoreOptions, type RedisPublisher } from '@shopify-tokens/redis'
import { aKey, aRecord, tokenStoreContract } from '@shopify-tokens/testing'
import { Cluster, Redis } from 'ioredis6'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis6'
import { describeWithServer, redisWithPrefix } from '../servers.js'
import { until } from '../until.js'
import { clients, type OpenedClient } from './clients.js'
import { Ear } from './ear.js'

const opened: Pick<OpenedClient, 'close'>[] = []

afterEach(() => {
  for (const client of opened.splice(0)) client.close()
})

/** A connection of the test's own. */
function bystander(url: string): Redis {
  const redis = new Redis(url)
  opened.push({
    close: () => {
      redis.disconnect()
    },
  })
  return redis
}

/** A store with clients of its own, over `inner`. */
async function announced(
  open: (typeof clients)[number][1],
  url: string,
  inner: TokenStore,
  options: Partial<AnnouncedStoreOptions> = {},
): Promise<TokenStore> {
  const [publisher, subscriber] = await Promise.all([open(url), open(url)])
  opened.push(publisher, subscriber)
  return announcedStore(inner, { publisher: publisher.client, subscriber: subscriber.client, ...options })
}

/** A client of which nothing is expected but to take announcements. */
function silentClient(publish: () => Promise<unknown>): RedisPublisher {
  return { isOpen: true, withTypeMapping: () => undefined, eval: async () => 0, publish }
}

async function write(store: TokenStore, key: RecordKey = aKey()): Promise<void> {
  expect(await store.put(key, aRecord.expiring(), 'absent')).toMatchObject({ outcome: 'written' })
}

describe('the options', () => {
  const [publisher, subscriber] = [new Redis({ lazyConnect: true }), createClient()]

  it('take every kind of client that can publish, and open nothing', () => {
    const pool = createClientPool()
    const cluster = createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] })
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })
    const lazyCluster = new Cluster(['redis://127.0.0.1:1'], { lazyConnect: true })
    for (const each of [publisher, pool, cluster, sentinel, lazyCluster]) {
      const store = announcedStore(new MemoryTokenStore(), { publisher: each, subscriber })
      expect(store.watch).toBeInstanceOf(Function)
    }
    expect([pool.isOpen, cluster.isOpen, sentinel.isOpen, subscriber.isOpen]).toEqual([false, false, false, false])
    expect([publisher.status, lazyCluster.status]).toEqual(['wait', 'wait'])
  })

  const cluster = new Cluster(['redis://127.0.0.1:1'], { lazyConnect: true })
  it.each<[string, object]>([
    ['publisher', { publisher: undefined }],
    ['publisher', { publisher: 'redis://:planted-password@127.0.0.1' }],
    ['subscriber', { subscriber: {} }],
    ['subscriber', { subscriber: publisher }],
    ['subscriber', { subscriber: cluster }],
    ['subscriber', { subscriber: createClientPool() }],
    ['subscriber', { subscriber: createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }) }],
    ['subscriber', { subscriber: createSentinel({ name: 'a', sentinelRootNodes: [{ host: '::1', port: 1 }] }) }],
    ['channel', { channel: '' }],
    ['onError', { onError: 'log' }],
    ['chanel', { chanel: 'x' }],
  ])('refuse %s in %#', (name, options) => {
    const build = (): unknown => announcedStore(new MemoryTokenStore(), { publisher, subscriber, ...options })
    expect(build).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [name] }) as Error)
    expect(build).not.toThrow(/planted-password/)
  })
})

describe('a publisher that fails', () => {
  it('fails no write, and is told of once until announcements arrive again', async () => {
    const errors: unknown[] = []
    const answers = [new Error('first'), new Error('second'), null, new Error('third')]
    const publisher = silentClient(async () => {
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
    })
    const store = announcedStore(new MemoryTokenStore(), {
      publisher,
      subscriber: createClient(),
      onError(error) {
        errors.push(error)
        throw new Error('a log that fails')
      },
    })
    for (let writes = 0; writes < 4; writes += 1) await write(store)
    await new Promise(setImmediate)
    expect(errors).toEqual([new Error('first'), new Error('third')])
  })

  it.each<[string, object]>([
    ['ioredis', { status: 'reconnecting', defineCommand: () => undefined }],
    ['node-redis', { isOpen: true, isReady: false, withTypeMapping: () => undefined }],
  ])(
    'of %s is given nothing while it has no connection, for it would send it when nobody needs it',
    async (_, state) => {
      const errors: unknown[] = []
      let published = 0
      const publisher = {
        eval: async () => 0,
        publish: async () => {
          published += 1
        },
        ...state,
      } as unknown as RedisPublisher
      const store = announcedStore(new MemoryTokenStore(), {
        publisher,
        subscriber: createClient(),
        onError: (error) => errors.push(error),
      })
      await write(store)
      await new Promise(setImmediate)
      expect(published).toBe(0)
      expect(errors).toEqual([new Error('The Redis client has no connection.')])
    },
  )

  it('is left alone once it owes a thousand answers', async () => {
    const errors: unknown[] = []
    let published = 0
    const publisher = silentClient(() => {
      published += 1
      return new Promise(() => undefined)
    })
    const store = announcedStore(new MemoryTokenStore(), {
      publisher,
      subscriber: createClient(),
      onError: (error) => errors.push(error),
    })
    for (let writes = 0; writes < 1_010; writes += 1) await write(store)
    expect(published).toBe(1_000)
    expect(errors).toEqual([new Error('Redis answers no more announcements.')])
  })
})

describeWithServer('Redis', 'a store whose writes are announced', () => {
  const { url, prefix } = redisWithPrefix()
  const channel = `${prefix}writes`

  for (const [name, open] of clients) {
    tokenStoreContract(
      { describe, it },
      {
        name: `announcedStore on ${name}`,
        capabilities: ['watch', 'deployments', 'deliveries'],
        async open() {
          const inner = new MemoryTokenStore()
          const both = [announced(open, url, inner, { channel }), announced(open, url, inner, { channel })]
          const [store, other] = (await Promise.all(both)) as [TokenStore, TokenStore]
          return { store, other }
        },
      },
    )

    it(`on ${name} says nothing of its own writes, and nothing but the key of others'`, async () => {
      const inner = new MemoryTokenStore()
      const store = await announced(open, url, inner, { channel })
      const other = await announced(open, url, inner, { channel })
      const messages: string[] = []
      const tap = bystander(url)
      await tap.subscribe(channel)
      tap.on('message', (_, message) => messages.push(message))
      const ear = await Ear.on(store)

      const [own, foreign] = [aKey(), aKey()]
      await write(store, own)
      await write(other, foreign)
      await ear.hears(foreign)
      expect(ear.heard).toEqual([foreign])
      await until(() => messages.length === 2, 'both writes are announced')
      expect(inspect(messages)).not.toMatch(/shp[ar]t_/)
      await ear.close()
    })

    it(`on ${name} ignores what no store has said`, async () => {
      const inner = new MemoryTokenStore()
      const store = await announced(open, url, inner, { channel })
      const ear = await Ear.on(store)
      const stranger = bystander(url)
      const { clientId, shop } = aKey()
      for (const message of [
        '',
        'hello',
        '{}',
        '[]',
        'null',
        JSON.stringify(['writer', clientId]),
        JSON.stringify(['writer', clientId, 'evil.example']),
        JSON.stringify(['writer', 7, shop]),
        JSON.stringify(['writer', clientId, shop, 'more']),
        JSON.stringify(['x'.repeat(2_000), clientId, shop]),
      ]) {
        await stranger.publish(channel, message)
      }

      const key = aKey()
      await write(await announced(open, url, inner, { channel }), key)
      await ear.hears(key)
      expect(ear.heard).toEqual([key])
      await ear.close()
    })

    it(`on ${name} unsubscribes with its last watch, and leaves the clients as they were`, async () => {
      const inner = new MemoryTokenStore()
      const own = `${channel}:${name}`
      const [publisher, subscriber] = await Promise.all([open(url), open(url)])
      opened.push(publisher, subscriber)
      const options = { publisher: publisher.client, subscriber: subscriber.client, channel: own }
      const admin = bystander(url)
      const subscribers = async (): Promise<unknown> => (await admin.pubsub('NUMSUB', own))[1]

      // Two stores that share their clients, as two apps of one process do.
      const ears = [await Ear.on(announcedStore(inner, options)), await Ear.on(announcedStore(inner, options))]
      expect(await subscribers()).toBe(1)
      await ears[0]!.close()
      const key = aKey()
      await write(await announced(open, url, inner, { channel: own }), key)
      await ears[1]!.hears(key)
      await ears[1]!.close()
      await until(async () => (await subscribers()) === 0, 'nobody is subscribed')

      const again = await Ear.on(announcedStore(inner, options))
      expect(await subscribers()).toBe(1)
      await again.close()
    })
  }

  it('keeps what the store inside announces', async () => {
    let announce: (key: RecordKey) => void = () => undefined
    let isClosed = false
    const inner: TokenStore = Object.assign(new MemoryTokenStore(), {
      watch: (listener: (key: RecordKey) => void) => {
        announce = listener
        return {
          isLive: () => !isClosed,
          close: async () => {
            isClosed = true
          },
        }
      },
    })
    // Never connected: what is live is the store inside.
    const store = announcedStore(inner, { publisher: createClient(), subscriber: createClient() })
    const ear = await Ear.on(store)
    const key = aKey()
    announce(key)
    expect(ear.heard).toEqual([key])
    await ear.close()
    expect([isClosed, ear.isLive]).toEqual([true, false])
  })
})
