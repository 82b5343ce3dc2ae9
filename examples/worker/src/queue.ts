import type { QueueOptions } from 'bullmq'

/** What a job holds: the name of its shop, never a token. */
export interface ProductsJob {
  readonly shop: string
}

export const PRODUCTS_QUEUE = 'products'

/** Where the queue is. `QUEUE_PREFIX`: for several apps on one Redis. */
export const onRedis: QueueOptions = {
  connection: { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
  prefix: process.env.QUEUE_PREFIX ?? 'bull',
}
