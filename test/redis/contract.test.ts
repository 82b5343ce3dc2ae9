import { RedisLock } from '@shopify-tokens/redis'
import { lockContract, type LockBackend } from '@shopify-tokens/testing'
import { Redis } from 'ioredis6'
import { describeWithServer, redisWithPrefix } from '../servers.js'
import { clients } from './clients.js'

const wallClock = Date.now

/** The contract's way into locks over two connections to the same server. */
function backend(name: string, open: (typeof clients)[number][1], place: { url: string; prefix: string }): LockBackend {
  let lock: RedisLock
  return {
    name,
    async open() {
      const [one, two] = await Promise.all([open(place.url), open(place.url)])
      lock = new RedisLock(one.client, { prefix: place.prefix })
      const other = new RedisLock(two.client, { prefix: place.prefix })
      const close = async (): Promise<void> => {
        one.close()
        two.close()
        jest.restoreAllMocks()
      }
      return { lock, other, close }
    },
    skewed(offsetMs) {
      jest.spyOn(Date, 'now').mockImplementation(() => wallClock() + offsetMs)
      return lock
    },
  }
}

describeWithServer('Redis', 'RedisLock', () => {
  const place = redisWithPrefix()

  afterAll(async () => {
    const admin = new Redis(place.url)
    const keys = await admin.keys(`${place.prefix}*`)
    if (keys.length > 0) await admin.del(...keys)
    admin.disconnect()
  })

  for (const [name, open] of clients) lockContract({ describe, it }, backend(`on ${name} it`, open, place))
})
