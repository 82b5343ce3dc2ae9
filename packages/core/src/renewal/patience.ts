import type { Durations } from '../durations.js'
import { LeaseTimeoutError } from '../errors.js'
import type { Shop } from '../shop.js'

const MARGIN_MS = 2_000

/** How long anybody waits for a renewal that others do: a little longer than a lease, after which it can be overtaken. */
export function patienceMs({ leaseMs }: Pick<Durations, 'leaseMs'>): number {
  return leaseMs + MARGIN_MS
}

export function leaseTimeout(shop: Shop): LeaseTimeoutError {
  return new LeaseTimeoutError('Another run has been renewing this shop for longer than a lease may last.', {
    shop,
    retryAfterMs: MARGIN_MS,
  })
}
