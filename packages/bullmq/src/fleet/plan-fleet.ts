import { invalidOption, type ShopState, type TokenManager } from '@shopify-tokens/core'
import { FLEET_WORK, type FleetJob, type FleetQueue, type FleetWork, jobOf } from './fleet-queue.js'

/** Fewer make more journeys to Redis; more make one that keeps others waiting. */
const PAGE_SIZE = 500

/**
 * Adds one job for every shop on which there is `work` to do, a page at a time. Called by the jobs that
 * {@link scheduleFleet} plans with; by hand, to begin a migration now. Adds no second job for a shop whose first is not
 * done, and so may be called at any time, by any number of processes.
 *
 * Resolves with how many shops there were; rejects with what `tokens.shops()` and Redis reject with, and with `signal.reason`.
 */
export async function planFleet(
  queue: Pick<FleetQueue, 'addBulk'>,
  tokens: Pick<TokenManager, 'shops'>,
  work: FleetWork,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<{ readonly planned: number }> {
  if (!FLEET_WORK.includes(work)) throw invalidOption('work', `one of ${FLEET_WORK.join(', ')}`, work)
  let planned = 0
  let page: FleetJob[] = []
  const add = async (): Promise<void> => {
    if (page.length > 0) await queue.addBulk(page)
    planned += page.length
    page = []
  }
  for await (const { askedAt, shop } of shopsWith(work, tokens, signal)) {
    page.push(jobOf(shop, work === 'due' && askedAt !== null ? 'asked' : work))
    if (page.length === PAGE_SIZE) await add()
  }
  await add()
  return { planned }
}

async function* shopsWith(
  work: FleetWork,
  tokens: Pick<TokenManager, 'shops'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ShopState, void, undefined> {
  if (work === 'migration') {
    yield* tokens.shops({ kinds: ['non-expiring'], signal })
    return
  }
  for await (const state of tokens.shops({ due: true, signal })) {
    if (work === 'asked' && state.askedAt === null) {
      // Those that were asked for come first; of a row that is not understood it is not known whether it is one of them.
      if (state.kind === 'unreadable') continue
      return
    }
    yield state
  }
}
