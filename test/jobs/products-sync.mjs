// The job of these tests. Whatever runs it sets the shop and gives the checkpoint.
import { currentShop, pagesOf, resumable } from '@shopify-tokens/core'

const PRODUCTS = `query ($after: String) {
  products(first: 19, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}`
const TAG = 'mutation ($id: ID!) { productUpdate(product: { id: $id, tags: ["seen"] }) { product { id } } }'

/** Twenty calls a page, half of each kind: the page itself, and one for every product on it. */
export async function syncProducts({ checkpoint, signal }) {
  const shop = currentShop()
  const next = pagesOf(shop, PRODUCTS, { connection: ({ products }) => products })
  for await (const { nodes } of resumable({ checkpoint, next, signal })) {
    for (const [place, { id }] of nodes.entries()) {
      if (place % 2 === 0) await readByFetch(shop, id)
      else await tagByGraphql(shop, id)
    }
  }
}

async function readByFetch(shop, id) {
  const { status } = await shop.fetch(`/admin/api/2026-10/products/${id.split('/').at(-1)}.json`)
  if (status !== 200) throw new Error(`${id} was answered ${status}.`)
}

async function tagByGraphql(shop, id) {
  const { errors } = await shop.graphql(TAG, { variables: { id } })
  if (errors !== undefined) throw new Error(`${id} was answered with errors.`)
}
