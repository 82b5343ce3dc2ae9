import { setTimeout as delay } from 'node:timers/promises'
import type { AdminHandler } from '@shopify-tokens/testing'

export const PAGES = 100
const PRODUCTS_PER_PAGE = 19
/** The page itself, and one for every product on it. */
export const CALLS_PER_PAGE = 1 + PRODUCTS_PER_PAGE
/** What a job takes that nothing interrupts. */
export const CALLS = PAGES * CALLS_PER_PAGE

/**
 * The products of a shop, which its Admin API hands out page by page: what the fake Shopify answers to calls whose token
 * works. Counts what it was asked for, so that nobody has to take the job's word.
 */
export class Catalogue {
  /** Calls whose token worked, by what they were made with. */
  readonly calls = { graphql: 0, fetch: 0 }
  readonly #leastMs: number
  /** How often which product, or the page itself, was asked for, by page. */
  readonly #asked = new Map<number, Map<string, number>>()
  #beganAt: number | null = null

  #deadly: { readonly call: number; readonly reached: () => void } | null = null

  /** @param leastMs how long a job lasts at least: calls are answered no sooner than spread evenly over it */
  constructor(leastMs: number) {
    this.#leastMs = leastMs
  }

  /** How much of what there is to ask for has been asked for, in calls. */
  get done(): number {
    return [...this.#asked.values()].reduce((calls, page) => calls + page.size, 0)
  }

  /** The pages of which something was asked for again, the first being 1, and how many calls that were. */
  get repeated(): ReadonlyMap<number, number> {
    const again = [...this.#asked].map(([page, asked]) => {
      const calls = [...asked.values()].reduce((sum, times) => sum + times, 0)
      return [page, calls - asked.size] as const
    })
    return new Map(again.filter(([, calls]) => calls > 0))
  }

  /** Resolves when so many calls have been made. The last of them is never answered: whoever made it is to die there. */
  reached(call: number): Promise<void> {
    return new Promise((reached) => {
      this.#deadly = { call, reached }
    })
  }

  readonly admin: AdminHandler = async ({ body, path }) => {
    const beganAt = (this.#beganAt ??= Date.now())
    const answer = path.includes('/graphql.json') ? this.#graphql(body as GraphqlCall) : this.#product(path)
    const call = this.calls.graphql + this.calls.fetch
    if (call === this.#deadly?.call) {
      this.#deadly.reached()
      return new Promise(() => undefined)
    }
    await delay(Math.max(0, beganAt + (call * this.#leastMs) / CALLS - Date.now()))
    return { body: answer }
  }

  #graphql({ variables }: GraphqlCall): object {
    this.calls.graphql += 1
    if ('id' in variables) {
      this.#count(pageOf(variables.id), variables.id)
      return { data: { productUpdate: { product: { id: variables.id } } } }
    }
    const page = Number(variables.after ?? 0) + 1
    this.#count(page, 'page')
    const first = (page - 1) * PRODUCTS_PER_PAGE
    const nodes = Array.from({ length: PRODUCTS_PER_PAGE }, (_, n) => ({ id: `gid://shopify/Product/${first + n}` }))
    return { data: { products: { nodes, pageInfo: { hasNextPage: page < PAGES, endCursor: String(page) } } } }
  }

  #product(path: string): object {
    this.calls.fetch += 1
    const id = path.replace(/^.*\/(\d+)\.json$/, 'gid://shopify/Product/$1')
    this.#count(pageOf(id), id)
    return { product: { id } }
  }

  #count(page: number, what: string): void {
    const asked = this.#asked.get(page) ?? new Map<string, number>()
    this.#asked.set(page, asked.set(what, (asked.get(what) ?? 0) + 1))
  }
}

interface GraphqlCall {
  readonly variables: { readonly id: string } | { readonly after: string | null }
}

function pageOf(id: string): number {
  return 1 + Math.floor(Number(id.split('/').at(-1)) / PRODUCTS_PER_PAGE)
}
