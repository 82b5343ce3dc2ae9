// npm run enqueue -- example.myshopify.com
import { parseShop } from '@shopify-tokens/core'
import { Queue } from 'bullmq'
import { onRedis, type ProductsJob, PRODUCTS_QUEUE } from './queue.js'

const shop = parseShop(process.argv[2])
const queue = new Queue<ProductsJob>(PRODUCTS_QUEUE, onRedis)
const { id } = await queue.add(
  'sync',
  { shop },
  // One job for a shop at a time.
  { attempts: 5, backoff: { type: 'exponential', delay: 10_000 }, deduplication: { id: shop } },
)
console.log(`job ${id ?? ''} for ${shop}`)
await queue.close()
