import { randomUUID } from 'node:crypto'
import { type Held, invalidOption, type Lease, type Lock, refuseUnknownOptions } from '@shopify-tokens/core'
import type { IoRedisClient, NodeRedisClient } from './clients.js'
import { type RunScript, scriptRunner } from './script-runner.js'

/** @see RedisLock */
export interface RedisLockOptions {
  /** Begins the name of every key; what follows is the client id and the shop. Default `shopify-tokens:lock:`. */
  readonly prefix?: string | undefined
}

const DEFAULT_PREFIX = 'shopify-tokens:lock:'

/** Answers 0 when the key is taken, otherwise its PTTL; less than a millisecond left counts as one. */
const ACQUIRE = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left == 0 then return 1 end
return left`

/** The last fraction of a millisecond counts as one too: 0 is said only when the key is free. */
const REMAINING = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return math.max(1, redis.call('PTTL', KEYS[1])) end
return 0`

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`

const NO_EXPIRY = -1
const GONE = -2

/**
 * A lock on Redis in front of the token store: processes that want to renew one shop wait for the one that does, and
 * spare the database their writes.
 *
 * It uses a live client of the application, of ioredis or node-redis, and opens, closes and
 * times nothing by itself. One key per lease, taken and given back by scripts (`EVAL`), each on that key alone. Keys end
 * by Redis's clock; a former holder cannot release the next one's.
 *
 * Every call rejects when Redis cannot be reached, at once while the client has no connection. The token manager then
 * goes on with the attempt in the row and raises `lock.unavailable`. Nothing but saved work rests on this lock: a
 * fail-over that forgets it loses no token.
 */
export class RedisLock implements Lock {
  readonly #run: RunScript
  readonly #prefix: string

  /**
   * Does no I/O; the client may be connected later.
   *
   * @throws InvalidOptionError `ERR_INVALID_OPTION` for another client, an unknown option, or a prefix that is empty.
   */
  constructor(client: IoRedisClient | NodeRedisClient, options: RedisLockOptions = {}) {
    this.#run = scriptRunner(client)
    refuseUnknownOptions(options, ['prefix'] satisfies (keyof RedisLockOptions)[])
    this.#prefix = parsePrefix(options.prefix)
  }

  /**
   * Takes `resource` for `leaseMs` milliseconds, or says how long it is held, in one round trip. Rejects when Redis
   * cannot be reached, and when the key is somebody else's: one that never expires.
   */
  async tryAcquire(resource: string, leaseMs: number): Promise<Lease | Held> {
    const key = this.#prefix + resource
    const owner = randomUUID()
    const acquire = (): Promise<number> => this.#run(ACQUIRE, key, owner, String(leaseMs))

    let heldForMs = await acquire()
    // The key ended inside the script, which old servers allow.
    if (heldForMs === GONE) heldForMs = await acquire()
    if (heldForMs > 0) return { heldForMs }
    if (heldForMs === NO_EXPIRY) throw new Error('A key of the lock never expires, so something else has written it.')
    if (heldForMs < 0) throw new Error('Redis neither gave the key nor knows it.')

    return {
      remainingMs: async () => Math.max(0, await this.#run(REMAINING, key, owner)),
      release: async () => {
        await this.#run(RELEASE, key, owner)
      },
    }
  }
}

function parsePrefix(prefix: unknown = DEFAULT_PREFIX): string {
  if (typeof prefix === 'string' && prefix !== '') return prefix
  throw invalidOption('prefix', 'a string that is not empty', prefix)
}
