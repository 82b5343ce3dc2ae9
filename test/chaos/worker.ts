// One process of an app under test: the built packages with every port watched, traffic of its own, and orders by IPC.
import {
  type Clock,
  createTokenManager,
  parseShop,
  readEnvironment,
  sealedStore,
  type Shop,
  systemClock,
} from '@shopify-tokens/core'
import { RedisLock } from '@shopify-tokens/redis'
import { openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import { Redis } from 'ioredis6'
import { Journal } from './journal.js'
import { KillSwitch } from './kill-switch.js'
import type { Order, Report, WorkerSetup } from './orders.js'
import { durationsOf } from './plan.js'
import { Seeded } from './seeded.js'
import { Traffic } from './traffic.js'
import { watchedFetch } from './watched-fetch.js'
import { Arrived, WatchedStore } from './watched-store.js'

const setup = JSON.parse(process.argv[2] ?? '') as WorkerSetup
const durations = durationsOf(setup.timing)
const configuration = readEnvironment(setup.environment)
const opened = openTokenStore({ configuration, announce: () => undefined })
const redis = setup.redisUrl === null ? null : new Redis(setup.redisUrl, { retryStrategy: () => 100 })
redis?.on('error', () => undefined)

const journal = new Journal(setup.journal)
const watch = { journal, killSwitch: new KillSwitch(journal), arrived: new Arrived() }
// Sealed below the watch, which has to see what is written.
const store = new WatchedStore(sealedStore(opened.store, opened.keyRing), watch, durations.leaseMs)
const clock: Clock = { ...systemClock, now: () => Date.now() + setup.skewMs }
const ways = {
  shopifys: setup.shopifys,
  longestDelayMs: durations.requestTimeoutMs * 1.5,
  chance: new Seeded(setup.seed, 'answers'),
}
const tokens = createTokenManager({
  ...durations,
  clientId: configuration.clientId,
  clientSecret: configuration.clientSecret,
  store,
  sealing: 'unsealed-tokens-readable-in-store',
  ...(redis === null ? {} : { lock: new RedisLock(redis) }),
  clock,
  fetch: watchedFetch(ways, store, watch),
  apiVersion: '2026-10',
  onEvent: (event) => {
    journal.write({ t: 'event', event, at: Date.now() })
  },
})
const traffic = new Traffic(tokens, journal, setup)

function tell(report: Report): void {
  // Without a callback, a parent that has gone would end this process with an error.
  process.send?.(report, () => undefined)
}

async function answered(id: number, work: Promise<unknown>): Promise<void> {
  try {
    await work
    tell({ say: 'done', id })
  } catch (error) {
    const { code = 'unknown', message } = error as Error & { readonly code?: string }
    tell({ say: 'done', id, code, message })
  }
}

/** The merchant opens the app. `acquire`: the app knows that it was reinstalled, or needs more scopes. */
async function visit(shop: Shop, { idToken, how }: Order & { readonly do: 'visit' }): Promise<void> {
  if (how === 'acquire') await tokens.acquire(shop, { idToken })
  await tokens.forShop(shop, { idToken }).graphql('{ shop { name } }')
}

async function leave(): Promise<void> {
  traffic.rest()
  await tokens.close().catch((error: unknown) => {
    process.exitCode = 1
    process.stderr.write(`${String(error)}\n`)
  })
  await opened.close()
  redis?.disconnect()
  process.disconnect()
}

process.on('message', (order: Order) => {
  switch (order.do) {
    case 'fall':
      watch.killSwitch.set(order.blow, order.point)
      return
    case 'visit':
      void answered(order.id, visit(parseShop(order.shop), order))
      return
    case 'remove':
      void answered(order.id, tokens.remove(parseShop(order.shop)))
      return
    case 'serve':
      void answered(order.id, tokens.token(parseShop(order.shop)))
      return
    case 'force':
      void answered(order.id, tokens.force(parseShop(order.shop)))
      return
    case 'leave':
      void leave()
  }
})
// A driver that has gone leaves nobody to work for.
process.on('disconnect', () => process.exit())

/** Started in the middle of an outage, an app would be started again. */
async function untilReady(): Promise<void> {
  for (;;) {
    try {
      await opened.ready()
      return
    } catch {
      await clock.sleep(100)
    }
  }
}

await untilReady()
traffic.start()
tell({ say: 'ready' })
