import { jobCheckpoint } from '@shopify-tokens/bullmq'
import { type ConnectionPage, pagesOf, resumable, type Shop, type ShopClient } from '@shopify-tokens/core'
import type { Job } from 'bullmq'
import { patient } from './patient.js'
import type { ProductsJob } from './queue.js'

const PRODUCTS = `query ($after: String) {
  products(first: 100, after: $after) { nodes { id title } pageInfo { hasNextPage endCursor } }
}`

interface Products extends ConnectionPage {
  readonly nodes: readonly { readonly id: string; readonly title: string }[]
}

/**
 * Reads all products of a shop, however long it takes. Every call goes out with the token of the moment; behind every page
 * the job notes how far it has come, and whoever takes it over goes on there.
 */
export async function syncProducts(job: Job<ProductsJob>, shop: ShopClient, signal: AbortSignal): Promise<void> {
  const next = pagesOf(patient(shop), PRODUCTS, { connection: ({ products }: { products: Products }) => products })
  for await (const { nodes } of resumable({ checkpoint: jobCheckpoint<string>(job), next, signal })) {
    await saveProducts(shop.shop, nodes)
  }
}

/** Your work. After a crash a page comes once more: write by id. */
function saveProducts(shop: Shop, products: Products['nodes']): Promise<void> {
  console.log(`${shop}: ${products.length} products saved`)
  return Promise.resolve()
}
