import { shopProcessor } from '@shopify-tokens/bullmq'
import { ClosedError } from '@shopify-tokens/core'
import { openTokenManager } from '@shopify-tokens/typeorm-store/from-environment'
import { type Job, Worker } from 'bullmq'
import { onRedis, type ProductsJob, PRODUCTS_QUEUE } from './queue.js'
import { syncProducts } from './sync-products.js'

const ending = new AbortController()
const opened = openTokenManager(undefined, { onEvent: print })
await opened.ready()

// Shops that nobody visits: their refresh tokens would end after 90 days.
opened.tokens.startKeepAlive()

const worker = new Worker(
  PRODUCTS_QUEUE,
  shopProcessor(opened.tokens, (job: Job<ProductsJob>, shop) => syncProducts(job, shop, ending.signal), {
    onOutcome: print,
    onDiscarded: ({ shop, error }) => {
      console.error(`${shop ?? 'A job without a shop'}: no repetition mends this, ${error.code}`)
    },
  }),
  { ...onRedis, concurrency: 5 },
)
worker.on('error', console.error)

process.once('SIGTERM', () => void end())
process.once('SIGINT', () => void end())

async function end(): Promise<void> {
  // Jobs end at their next checkpoint, lose no attempt, and are another worker's.
  ending.abort(new ClosedError())
  await worker.close()
  // The tokens that are being renewed are stored, and then the connections closed.
  await opened.close()
}

function print(line: object): void {
  console.log(JSON.stringify(line))
}
