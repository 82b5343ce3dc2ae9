// A machine of the fleet: renews what the queue gives it, over the built packages.
import { setTimeout as delay } from 'node:timers/promises'
import { fleetLimiter, fleetProcessor } from '@shopify-tokens/bullmq'
import { fakeShopifyFetch } from '@shopify-tokens/testing'
import { openTokenManager } from '@shopify-tokens/typeorm-store/from-environment'
import { Queue, Worker } from 'bullmq'

const { connection, concurrency, isToStall, prefix, queueName, rate, shopifyUrl } = JSON.parse(process.argv[2])
const { tokens, close, ready } = openTokenManager(undefined, {
  fetch: fakeShopifyFetch(shopifyUrl),
  announce: () => undefined,
})
const queue = new Queue(queueName, { connection, prefix })
const counts = { renewed: 0, notDue: 0, lostLocks: 0 }

/** The jobs that this process had begun, and Shopify did not know of, when it was stopped. */
const held = []
let isGoingOn = !isToStall
process.on('message', (message) => {
  if (message === 'go on') isGoingOn = true
  if (message === 'leave') void leave()
})

async function renewIfDue(shop, options) {
  if (!isGoingOn && counts.renewed >= concurrency) {
    held.push(shop)
    if (held.length === concurrency) process.send({ held })
    while (!isGoingOn) await delay(10)
  }
  return tokens.renewIfDue(shop, options)
}

const processor = fleetProcessor(
  queue,
  { forShop: (shop) => tokens.forShop(shop), shops: (query) => tokens.shops(query), renewIfDue },
  { onOutcome: ({ code }) => code !== null && process.send({ failed: code }) },
)
const worker = new Worker(
  queueName,
  async (job, token, signal) => {
    const result = await processor(job, token, signal)
    if (result === 'renewed') counts.renewed += 1
    if (result === 'not-due') counts.notDue += 1
    return result
  },
  {
    ...{ connection, concurrency, prefix, limiter: fleetLimiter(rate), autorun: false },
    ...{ lockDuration: 3_000, stalledInterval: 500, maxStalledCount: 10 },
  },
)
worker.on('error', () => (counts.lostLocks += 1))

async function leave() {
  await worker.close()
  await queue.close()
  await close()
  process.send({ counts }, () => process.disconnect())
}

await ready()
void worker.run()
process.send({ ready: true })
