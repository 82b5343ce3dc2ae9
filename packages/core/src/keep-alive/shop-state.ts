import type { Durations } from '../durations.js'
import { everyRow, type RowsReach, type UnreadableRow } from '../fleet/every-row.js'
import { flagOption, invalidOption, refuseUnknownOptions } from '../option-checks.js'
import type { ScannedRow, ScanQuery } from '../ports/token-store.js'
import { isAtRisk } from '../renewal/schedule.js'
import type { Shop } from '../shop.js'
import { isRenewable, isServable, type TokenRecord } from '../token.js'

/** Which shops {@link TokenManager.shops} tells of; all given conditions must hold. Unknown keys are refused. */
export interface ShopsQuery {
  /** Only those that a sweep would visit now: asked for, or due. These come oldest first, the others by name. */
  readonly due?: boolean | undefined
  /** Only those that are due for the sweep and whose last refresh token ends within `atRiskMs`. */
  readonly atRisk?: boolean | undefined
  /** Only records of these kinds. */
  readonly kinds?: readonly TokenRecord['kind'][] | undefined
  /** Only shops that need their merchant (`true`), or that do not (`false`). */
  readonly marked?: boolean | undefined
  /** Ends the visit with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
}

/** How a shop stands. Holds no secret. Instants are epoch milliseconds of Shopify's time. */
export interface ShopState {
  readonly shop: Shop
  /** `unreadable`: the row cannot be understood, and nothing else is known of it. */
  readonly kind: TokenRecord['kind'] | 'unreadable'
  /** When its tokens were obtained. `null`, here and below: it has none, or they never end. */
  readonly obtainedAt: number | null
  readonly expiresAt: number | null
  readonly refreshTokenExpiresAt: number | null
  /** When the sweep visits it next; `null`: never. */
  readonly sweepAt: number | null
  /** When a process with `renewal: 'never'` asked for it, by the store's clock; a renewal answers it. */
  readonly askedAt: number | null
  /** Why and since when it needs its merchant. */
  readonly mark: { readonly reason: string; readonly at: number } | null
  /** Until when it is left alone after how many failures in a row; `stuck`: without a working token for long. */
  readonly coolDown: { readonly until: number; readonly failures: number; readonly stuck: boolean } | null
  /** Attempts that are under way, or never reported back. */
  readonly attempts: number
  readonly isAtRisk: boolean
}

/** {@link ShopsQuery} after it has been checked. */
export interface CheckedShopsQuery {
  readonly due: boolean
  readonly atRisk: boolean
  readonly kinds: readonly TokenRecord['kind'][] | undefined
  readonly marked: boolean | undefined
  readonly signal: AbortSignal
}

const NAMES = ['due', 'atRisk', 'kinds', 'marked', 'signal'] satisfies (keyof ShopsQuery)[]
const KINDS: ReadonlySet<unknown> = new Set<TokenRecord['kind']>([
  ...(['expiring', 'non-expiring', 'static', 'client-credentials', 'empty', 'removed'] as const),
])

/** @throws InvalidOptionError `ERR_INVALID_OPTION` */
export function parseShopsQuery(query: ShopsQuery): CheckedShopsQuery {
  refuseUnknownOptions(query, NAMES)
  const { kinds, marked, signal = new AbortController().signal } = query
  if (!(signal instanceof AbortSignal)) throw invalidOption('signal', 'an AbortSignal', signal)
  if (kinds !== undefined && !(Array.isArray(kinds) && kinds.every((kind) => KINDS.has(kind)))) {
    throw invalidOption('kinds', `an array of ${[...KINDS].join(', ')}`, kinds)
  }
  return {
    due: flagOption('due', query.due, false),
    atRisk: flagOption('atRisk', query.atRisk, false),
    marked: marked === undefined ? undefined : flagOption('marked', marked, false),
    ...{ kinds, signal },
  }
}

/** Visits the shops that match, a page at a time. */
export async function* shopStates(
  rows: RowsReach,
  clientId: string,
  durations: Durations,
  now: () => number,
  query: CheckedShopsQuery,
): AsyncGenerator<ShopState, void, undefined> {
  for await (const row of everyRow(rows, scanOf(query, clientId, now(), durations), query.signal)) {
    const state = stateOf(row, now(), durations)
    if (!query.atRisk || state.isAtRisk || state.kind === 'unreadable') yield state
  }
}

function scanOf(
  { atRisk, due, kinds, marked }: CheckedShopsQuery,
  clientId: string,
  now: number,
  durations: Durations,
): ScanQuery {
  const query = { clientId, kinds, marked }
  if (due) return { ...query, sweepBefore: now }
  // Whoever is at risk is due, if perhaps only after a pause.
  return atRisk ? { ...query, sweepBefore: now + durations.maxCoolDownMs } : query
}

function stateOf(row: ScannedRow | UnreadableRow, now: number, durations: Durations): ShopState {
  const { shop } = row.key
  if (row.record === null) return Object.freeze({ ...UNKNOWN, shop })
  const { askedAt, record } = row
  const { attempts, coolDown, kind, mark, sweepAt } = record
  return Object.freeze({
    ...{ shop, kind, sweepAt, askedAt },
    obtainedAt: isServable(record) ? record.obtainedAt : null,
    expiresAt: isRenewable(record) ? record.expiresAt : null,
    refreshTokenExpiresAt: record.kind === 'expiring' ? record.refreshTokenExpiresAt : null,
    mark: mark && { reason: mark.reason, at: mark.at },
    coolDown: coolDown && { until: coolDown.until, failures: coolDown.failures, stuck: coolDown.stuck },
    attempts: attempts.length,
    isAtRisk: isAtRisk(record, now, durations),
  })
}

const UNKNOWN = {
  kind: 'unreadable',
  ...{ obtainedAt: null, expiresAt: null, refreshTokenExpiresAt: null, sweepAt: null, askedAt: null },
  ...{ mark: null, coolDown: null, attempts: 0, isAtRisk: false },
} as const
