import { InvalidOptionError, isHeld, type Lease } from '@shopify-tokens/core'
import { type NodeRedisClient, RedisLock } from '@shopify-tokens/redis'
import { Cluster, Redis } from 'ioredis6'
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis6'
import { describeWithServer, redisWithPrefix } from '../servers.js'

describe('the constructor', () => {
  it('takes every kind of client, connected or not, and opens nothing', () => {
    const client = createClient()
    const cluster = createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] })
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })
    const pool = createClientPool()
    const lazy = new Redis({ lazyConnect: true })
    const lazyCluster = new Cluster(['redis://127.0.0.1:1'], { lazyConnect: true })

    for (const each of [client, cluster, sentinel, pool, lazy, lazyCluster]) {
      expect(new RedisLock(each)).toBeInstanceOf(RedisLock)
    }

    expect([client.isOpen, cluster.isOpen, sentinel.isOpen, pool.isOpen]).toEqual([false, false, false, false])
    expect([lazy.status, lazyCluster.status]).toEqual(['wait', 'wait'])
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a URL', 'redis://:planted-password@127.0.0.1'],
    ['an empty object', {}],
    ['a client that has only eval', { eval: (): unknown => undefined }],
    ['a client of node-redis 4', { eval: (): unknown => undefined, isOpen: true, sendCommand: () => undefined }],
    ['a client without scripts', { defineCommand: () => undefined, status: 'ready' }],
  ])('refuses %s', (_title, client) => {
    const build = (): RedisLock => new RedisLock(client as unknown as NodeRedisClient)
    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: ['client'] }) as Error)
    expect(build).not.toThrow(/planted-password/)
  })

  it.each([
    ['an unknown option', { prefx: 'a' }, 'prefx'],
    ['an empty prefix', { prefix: '' }, 'prefix'],
    ['a prefix that is no string', { prefix: 1 }, 'prefix'],
  ])('refuses %s', (_title, options, name) => {
    const client = new Redis({ lazyConnect: true })
    expect(() => new RedisLock(client, options as { prefix: string })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [name] }) as Error,
    )
  })
})

describe('an answer', () => {
  /** A client whose server answers what the test says. */
  function answering(...replies: readonly unknown[]): { readonly lock: RedisLock; readonly calls: () => number } {
    const rest = [...replies]
    const client = { isOpen: true, withTypeMapping: () => undefined, eval: async () => rest.shift() }
    return { lock: new RedisLock(client), calls: () => replies.length - rest.length }
  }

  it('that the key has just gone is asked for once more', async () => {
    const { lock, calls } = answering(-2, 0)
    expect(isHeld(await lock.tryAcquire('a', 1_000))).toBe(false)
    expect(calls()).toBe(2)
  })

  it('that the key has gone again is an error', async () => {
    const { lock, calls } = answering(-2, -2, 0)
    await expect(lock.tryAcquire('a', 1_000)).rejects.toThrow('neither gave the key nor knows it')
    expect(calls()).toBe(2)
  })

  it.each([[null], ['OK'], [[0]], [''], [1.5]])('that is no whole number is an error: %j', async (reply) => {
    await expect(answering(reply).lock.tryAcquire('a', 1_000)).rejects.toThrow('instead of a whole number')
  })
})

describeWithServer('Redis', 'RedisLock on a server', () => {
  const { url, prefix } = redisWithPrefix()
  const redis = new Redis(url, { lazyConnect: true })
  const lock = new RedisLock(redis, { prefix })

  afterAll(async () => {
    const keys = await redis.keys(`${prefix}*`)
    if (keys.length > 0) await redis.del(...keys)
    redis.disconnect()
  })

  async function take(resource: string, from: RedisLock = lock): Promise<Lease> {
    const answer = await from.tryAcquire(resource, 60_000)
    if (isHeld(answer)) throw new Error('held')
    return answer
  }

  it('keeps one key per lease under its prefix, with a random owner and an end', async () => {
    await take('app:one.myshopify.com')
    await take('app:two.myshopify.com')
    const names = [`${prefix}app:one.myshopify.com`, `${prefix}app:two.myshopify.com`]
    expect((await redis.keys(`${prefix}app:*`)).sort()).toEqual(names)
    const owners = await redis.mget(names)
    expect(new Set(owners).size).toBe(2)
    expect(await redis.pttl(names[0]!)).toBeGreaterThan(50_000)
  })

  it('leaves no key behind when the lease is given back', async () => {
    await (await take('given-back')).release()
    expect(await redis.exists(`${prefix}given-back`)).toBe(0)
  })

  it('takes no key for its own that never ends, whoever wrote it', async () => {
    await redis.set(`${prefix}foreign`, 'something')
    await expect(lock.tryAcquire('foreign', 1_000)).rejects.toThrow('never expires')
    expect(await redis.get(`${prefix}foreign`)).toBe('something')
  })

  it('reads numbers from clients that answer them as strings', async () => {
    const strings = new Redis(url, { stringNumbers: true, lazyConnect: true })
    const mapped = createClient({ url })
    await mapped.connect()
    for (const client of [strings, mapped.withTypeMapping({ [RESP_TYPES.NUMBER]: String })]) {
      const own = new RedisLock(client, { prefix })
      const lease = await take('strings', own)
      expect(await lease.remainingMs()).toBeGreaterThan(50_000)
      expect(isHeld(await own.tryAcquire('strings', 1_000))).toBe(true)
      await lease.release()
    }
    strings.disconnect()
    mapped.destroy()
  })

  it('sends nothing through a client that is not connected, so that nothing happens late', async () => {
    const closed = new Redis(url, { lazyConnect: true })
    await closed.connect()
    closed.disconnect()
    await new Promise((resolve) => closed.once('end', resolve))
    const unopened = createClient({ url })
    for (const client of [closed, unopened]) {
      await expect(new RedisLock(client, { prefix }).tryAcquire('late', 1_000)).rejects.toThrow('has no connection')
    }
    expect(await redis.exists(`${prefix}late`)).toBe(0)
  })
})
