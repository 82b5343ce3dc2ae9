import { isShopifyTokenError, type Shop } from '@shopify-tokens/core'
import type { Action } from './actions.js'
import type { Worker } from './worker.js'
import { hostOf, type Outcome, type Row, SHOPS, type World } from './world.js'

const REVALIDATE_MS = 30_000
const LEASE_MS = 15_000
/** The slowest answer of a store that is well. */
const READ_MS = 5

/** What may end an action without a token, when something went wrong around it. */
const OUTAGES: ReadonlySet<string> = new Set([
  'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
  'ERR_TOKEN_RESPONSE_INVALID',
  'ERR_STORE_UNAVAILABLE',
  'ERR_COOLING_DOWN',
  'ERR_LEASE_TIMEOUT',
])

/** Each may take a token call of its own. */
const ONE_CALL: ReadonlySet<Action['kind']> = new Set(['acquire', 'force', 'migrate'])

/** The world right before a step. */
export interface Before {
  readonly at: number
  readonly upheavals: number
  readonly mishaps: number
  readonly storeFaults: number
  readonly shops: ReadonlyMap<Shop, ShopBefore>
}

interface ShopBefore {
  readonly removed: boolean
  /** When the row was last written with something that is not a renewal, monotonic. */
  readonly turnedAt: number
  /** Processes that have read the row since, or should have: behind a request with the token that had ended. */
  readonly informed: ReadonlySet<Worker>
  readonly row: Row
  readonly merchantNeeded: string | null
  readonly unrepeatable: number
  readonly isLate: boolean
  readonly tokenCalls: number
  readonly retiredPresented: number
}

export async function lookAt(world: World): Promise<Before> {
  const shops = new Map<Shop, ShopBefore>()
  for (const name of SHOPS) {
    const shop = hostOf(name)
    const { retiredTokensPresented, tokenCalls } = world.shopify.counters(shop)
    const turnedAt = world.turnedAt.get(shop) ?? -Infinity
    shops.set(shop, {
      removed: world.reference(shop).removed,
      turnedAt,
      informed: new Set(world.workers.filter((worker) => isInformed(worker, shop, turnedAt))),
      row: await world.row(shop),
      merchantNeeded: world.reference(shop).merchantNeeded(world.clock.now()),
      unrepeatable: world.reference(shop).unrepeatable,
      isLate: world.network.isLate(shop),
      tokenCalls,
      retiredPresented: retiredTokensPresented,
    })
  }
  return {
    at: world.clock.now(),
    upheavals: world.upheavals,
    mishaps: world.network.mishaps,
    storeFaults: storeFaults(world),
    shops,
  }
}

function storeFaults(world: World): number {
  return world.workers.reduce((sum, worker) => sum + worker.storeFaults, 0)
}

/** Compares what happened in a step with the reference. Throws at the first difference. */
export async function judge(world: World, before: Before, outcomes: readonly Outcome[]): Promise<void> {
  const [wrong] = world.wrong
  if (wrong !== undefined) throw new Error(wrong)
  const storeWasWell = storeFaults(world) === before.storeFaults
  const calm = storeWasWell && world.upheavals === before.upheavals && world.network.mishaps === before.mishaps
  for (const outcome of outcomes) {
    judgeToken(world, before, outcome)
    judgeError(world, before, outcome, { calm, storeWasWell })
  }
  for (const name of SHOPS) {
    const shop = hostOf(name)
    await judgeRow(world, shop)
    if (calm) judgeCalls(world, before, shop, outcomes)
  }
}

/** A served token is one that Shopify accepts, unless nobody could have told its process that it has ended. */
function judgeToken(world: World, before: Before, outcome: Outcome): void {
  const { shop, state, wasMisled, worker } = outcome
  if (state === undefined || state === 'live') return
  if (state === 'expired' && wasMisled) return
  if (state === 'revoked' && (world.upheavals !== before.upheavals || isExcused(world, before, outcome))) return
  throw new Error(`${worker.machine.name} served a token of ${shop} that is ${state}`)
}

/** The row itself does not say that its token has ended, or it is time to look again only behind this request. */
function isExcused(world: World, before: Before, { shop, worker }: Outcome): boolean {
  const { informed, merchantNeeded, removed, turnedAt } = before.shops.get(shop)!
  if (world.clock.monotonic() > turnedAt + REVALIDATE_MS) worker.servedEnded.set(shop, turnedAt)
  return (merchantNeeded !== null && !removed) || !informed.has(worker)
}

function isInformed({ readAt, servedEnded, storeFaults }: Worker, shop: Shop, turnedAt: number): boolean {
  return (readAt.get(shop) ?? -Infinity) > turnedAt || (servedEnded.get(shop) === turnedAt && storeFaults === 0)
}

function judgeError(
  world: World,
  before: Before,
  { action, error, shop, tookMs, token, wasMisled, worker }: Outcome,
  { calm, storeWasWell }: { readonly calm: boolean; readonly storeWasWell: boolean },
): void {
  const { row, merchantNeeded, unrepeatable, isLate } = before.shops.get(shop)!
  const { record } = row
  const said = (): string => (isShopifyTokenError(error) ? error.code : String(error))
  const reference = world.reference(shop)

  const usable = record?.kind === 'expiring' && record.expiresAt > before.at + 60_000
  const undisturbed = storeWasWell && world.upheavals === before.upheavals && !wasMisled
  if ((action.kind === 'request' || action.kind === 'visit') && usable && undisturbed) {
    if (error !== undefined) throw new Error(`a request failed (${said()}) although a usable token was readable`)
    if (token !== undefined && tookMs > READ_MS)
      throw new Error(`a request waited ${String(tookMs)} ms although a usable token was readable`)
  }
  if (error === undefined) return

  const young = record?.attempts.some(({ at }) => before.at - at < LEASE_MS + 1_000) === true
  const canRefresh = merchantNeeded === null && record?.mark === null
  const canAcquire = isVisit(action) && reference.installed
  const mustSucceed = calm && !wasMisled && !isLate && !young && (record?.coolDown ?? null) === null
  if (mustSucceed && (canRefresh || canAcquire)) {
    throw new Error(`${action.kind} failed without a reason: ${said()}`)
  }
  if (!isShopifyTokenError(error)) throw new Error(`${action.kind} failed in an unknown way: ${said()}`)
  if (OUTAGES.has(error.code)) return
  if (error.code === 'ERR_INVALID_SESSION_TOKEN' && isVisit(action) && (wasMisled || tookMs > 45_000)) return
  if (error.code === 'ERR_REAUTHORIZATION_REQUIRED') {
    if (merchantNeeded !== null || reference.merchantNeeded(world.clock.now()) !== null || !undisturbed) return
    if (reference.unrepeatable !== unrepeatable) return
  }
  throw new Error(`${action.kind} by ${worker.machine.name} failed: ${said()}`)
}

function isVisit({ kind }: Action): boolean {
  return kind === 'visit' || kind === 'acquire'
}

/** The row holds a credential that Shopify accepts, and nothing untrue. */
async function judgeRow(world: World, shop: Shop): Promise<void> {
  const { lives, record } = await world.row(shop)
  const merchantNeeded = world.reference(shop).merchantNeeded(world.clock.now())
  const what = record === null ? 'no row' : record.kind
  if (merchantNeeded === null && !lives) throw new Error(`${shop} is orphaned (${what}), and nothing excuses it`)
  if (lives && record !== null && record.mark !== null) throw new Error(`${shop} is marked although a credential lives`)
  if (world.reference(shop).removed && record?.kind !== 'removed') throw new Error(`${shop} should be removed: ${what}`)
}

/** One token call per due renewal, and nothing dead presented. */
function judgeCalls(world: World, before: Before, shop: Shop, outcomes: readonly Outcome[]): void {
  const { row, merchantNeeded, isLate, retiredPresented, tokenCalls } = before.shops.get(shop)!
  const { record, leads } = row
  if (record?.kind !== 'expiring' || !leads || merchantNeeded !== null || isLate) return
  const counters = world.shopify.counters(shop)
  if (counters.retiredTokensPresented > retiredPresented) throw new Error('a retired refresh token was presented')
  if (record.attempts.length > 0 || record.alternates.length > 0 || record.mark !== null) return
  const mine = outcomes.filter((outcome) => outcome.shop === shop)
  if (outcomes.some(({ wasMisled }) => wasMisled)) return
  const own =
    mine.filter(({ action }) => ONE_CALL.has(action.kind)).length +
    outcomes.filter(({ action }) => action.kind === 'sweep').length
  const shared = mine.some(({ action }) => action.kind === 'request' || action.kind === 'visit') ? 1 : 0
  const calls = counters.tokenCalls - tokenCalls
  if (calls > own + shared) throw new Error(`${String(calls)} token calls where ${String(own + shared)} would do`)
}
