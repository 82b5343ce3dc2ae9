// One process of an app, over the built packages. It does what its parent asks for and tells what it sees.
import { createTokenManager, parseShop, readEnvironment, systemClock } from '@shopify-tokens/core'
import { RedisLock } from '@shopify-tokens/redis'
import { fakeShopifyFetch } from '@shopify-tokens/testing'
import { openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import { Redis } from 'ioredis6'

const { shopifyUrl, environment, grant, skewMs, redis, closeDeadlineMs, durations, keepAlive } = JSON.parse(
  process.argv[2],
)
const configuration = readEnvironment(environment)
const { clientId, clientSecret, previousClientSecret, deploymentId, renewal } = configuration
const opened = openTokenStore({ configuration, announce: () => undefined })
const redisClient = redis === null ? null : new Redis(redis.url)
const tell = (message) => process.connected && process.send(message)

let passedMs = 0
/** A machine with a wrong wall clock, on which time passes faster when the parent says so. */
const clock = {
  now: () => systemClock.now() + skewMs + passedMs,
  monotonic: () => systemClock.monotonic() + passedMs,
  sleep: systemClock.sleep,
}

const looks = new Map()
/**
 * Tells of the third look in a row at somebody's open attempt: one to serve, one to decide, and one after a pause. A
 * process that did not wait would have put its own after the second.
 */
const watched = {
  async get(key) {
    const snapshot = await opened.store.get(key)
    if ((snapshot.record?.attempts.length ?? 0) > 0) {
      looks.set(key.shop, (looks.get(key.shop) ?? 0) + 1)
      if (looks.get(key.shop) === 3) tell({ waiting: key.shop })
    }
    return snapshot
  },
  put(key, ...rest) {
    looks.delete(key.shop)
    return opened.store.put(key, ...rest)
  },
}
/** The store as it is, with whatever it can do beside. */
const store = new Proxy(opened.store, {
  get(target, name) {
    const member = watched[name] ?? target[name]
    return typeof member === 'function' ? member.bind(target) : member
  },
})

let expiredAnswers = 0
let tokenCalls = 0
const fetchFromFake = fakeShopifyFetch(shopifyUrl)
async function fetchAndCount(input, init) {
  if (String(input).endsWith('/admin/oauth/access_token')) tokenCalls += 1
  const response = await fetchFromFake(input, init)
  if (response.status === 401 && String(input).includes('/admin/api/')) expiredAnswers += 1
  return response
}

const behind = new Set()
const underWay = new Set()
const tokens = createTokenManager({
  ...{ clientId, clientSecret, previousClientSecret, deploymentId, renewal, grant },
  ...{ store, clock, sealing: opened.keyRing, apiVersion: '2026-10' },
  ...durations,
  ...(redisClient === null ? {} : { lock: new RedisLock(redisClient, { prefix: redis.prefix }) }),
  fetch: fetchAndCount,
  onEvent: (event) => tell({ event }),
  background: (work) => behind.add(work),
})

/** What a request handler does: asks the Admin API for something. */
async function request(shop) {
  const { data } = await tokens.forShop(shop).graphql('{ shop { name } }')
  if (data === undefined) throw new Error('no data')
}

const nameOf = (error) => error.code ?? String(error)

/** What the parent may ask for. */
const verbs = {
  /** Answers with the failures. */
  async requests(name, times) {
    const shop = parseShop(name)
    const all = Promise.allSettled(Array.from({ length: times }, () => request(shop)))
    underWay.add(all)
    const results = await all
    return results.filter(({ status }) => status === 'rejected').map(({ reason }) => nameOf(reason))
  },
  /** Answers with how many requests so far Shopify has refused for their token. */
  expiredAnswers: () => expiredAnswers,
  tokenCalls: () => tokenCalls,
  pass(ms) {
    passedMs += ms
  },
  /** Answers when nothing goes on behind requests any more. */
  async settle() {
    await Promise.all(behind)
    behind.clear()
  },
  adopt: () => tokens.adoptDeployment(),
  repin: (options) => tokens.repinAll(options),
  leave: () => leave(),
}

let isLeaving = false
async function leave() {
  isLeaving = true
  tell({ closing: true })
  const outcome = await tokens.close({ deadlineMs: closeDeadlineMs }).then(
    () => ({ stored: true, shops: [] }),
    (error) => ({ stored: false, code: error.code, shops: error.shops }),
  )
  tell({ closed: outcome })
  await Promise.all(underWay)
  await opened.close()
  redisClient?.disconnect()
  process.disconnect()
}

process.on('message', ({ id, verb, args }) => {
  Promise.resolve(verbs[verb](...args)).then(
    (result) => tell({ id, result }),
    (error) => tell({ id, error: nameOf(error) }),
  )
})
process.once('SIGTERM', leave)
// The parent is gone, and nobody will ask for anything any more.
process.once('disconnect', () => isLeaving || process.exit(1))
await opened.ready()
if (keepAlive !== null) tokens.startKeepAlive(keepAlive)
tell({ ready: true })
