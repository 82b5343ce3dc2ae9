import { parseShop, type Shop } from '@shopify-tokens/core'
import { durationsOf, factorOf } from '../chaos/plan.js'
import { startShopify, TokenDatabase } from '../races/token-database.js'
import { CALLS, CALLS_PER_PAGE, Catalogue } from './catalogue.js'
import type { Desk } from './desks.js'
import { JobProcess } from './job-process.js'

/** Shopify's hour lasts two seconds, and everything else of Shopify's is as much shorter. */
const TIMING = { lifetimeMs: 2_000, leaseMs: 4_000, latestMs: 1_500, outageMs: 0 }
/** The job's four hours, and a little more. */
const LEAST_MS = 4.2 * TIMING.lifetimeMs
/** In the middle of a page. */
export const HALFWAY = CALLS / 2 + CALLS_PER_PAGE / 2

const shop = parseShop('wholesale.myshopify.com')

/** What runs jobs, over which database. */
export interface Workplace {
  readonly program: string
  readonly openDatabase: () => Promise<{ readonly url: string; drop(): Promise<void> }>
  readonly openDesk: (shop: Shop) => Promise<Desk>
}

/** What became of a job, as Shopify and the desk have it. */
export interface Outcome {
  /** Calls whose token worked. */
  readonly calls: Catalogue['calls']
  /** The same, but those that were made again. */
  readonly done: number
  /** Pages of which calls were made again, and how many. */
  readonly repeated: ReadonlyMap<number, number>
  /** The Admin API's answers, by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** With how many access tokens. */
  readonly tokens: number
  /** The checkpoint when the process had been killed; `null`: it was not killed. */
  readonly atKill: Awaited<ReturnType<Desk['progress']>>
  /** The checkpoint at the end. */
  readonly atEnd: Awaited<ReturnType<Desk['progress']>>
}

/** Has a job of four hours done; by two processes, if the first is to be killed half-way. */
export async function runJob(workplace: Workplace, { kill }: { readonly kill: boolean }): Promise<Outcome> {
  const catalogue = new Catalogue(LEAST_MS)
  const file = await workplace.openDatabase()
  const desk = await workplace.openDesk(shop)
  const shopify = await startShopify({ speed: factorOf(TIMING), admin: catalogue.admin })
  const database = await TokenDatabase.open(file.url)
  const processes: JobProcess[] = []
  const start = (): JobProcess => {
    const setup = { ...desk.setup, shop, shopifyUrl: shopify.url, durations: durationsOf(TIMING) }
    processes.push(new JobProcess(workplace.program, setup, database.environment))
    return processes.at(-1)!
  }
  let atKill: Outcome['atKill'] = null
  try {
    await database.seed(shopify, shop)
    const halfway = kill ? catalogue.reached(HALFWAY) : null
    const first = start()
    if (halfway === null) {
      await first.done()
    } else {
      await Promise.race([halfway, first.done()])
      await first.kill()
      atKill = await desk.progress()
      await start().done()
    }
    return {
      calls: catalogue.calls,
      done: catalogue.done,
      repeated: catalogue.repeated,
      statuses: shopify.counters(shop).adminCallsByStatus,
      tokens: new Set(shopify.log(shop).flatMap(({ status, presented }) => (status === 200 ? [presented] : []))).size,
      atKill,
      atEnd: await desk.progress(),
    }
  } finally {
    await Promise.all(processes.map((each) => each.kill()))
    await database.close()
    await shopify.close()
    await desk.close()
    await file.drop()
  }
}
