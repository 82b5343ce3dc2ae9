// The job in a BullMQ worker. The worker ends when the job has.
import { jobCheckpoint, shopProcessor } from '@shopify-tokens/bullmq'
import { fakeShopifyFetch } from '@shopify-tokens/testing'
import { openTokenManager } from '@shopify-tokens/typeorm-store/from-environment'
import { Worker } from 'bullmq'
import { syncProducts } from './products-sync.mjs'

const { shopifyUrl, durations, queue, workerOptions } = JSON.parse(process.argv[2])
const lockDurationMs = workerOptions.lockDuration
const { tokens, close } = openTokenManager(undefined, {
  ...durations,
  fetch: fakeShopifyFetch(shopifyUrl),
  announce: () => undefined,
})
const worker = new Worker(
  queue,
  shopProcessor(tokens, (job, _shop, signal) =>
    syncProducts({ checkpoint: jobCheckpoint(job, { lockDurationMs }), signal }),
  ),
  workerOptions,
)

async function leave() {
  await worker.close()
  await close()
}
worker.once('completed', () => void leave())
worker.once('failed', (_job, error) => {
  console.error(error)
  process.exitCode = 1
  void leave()
})
