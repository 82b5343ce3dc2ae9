import type { Durations } from '../durations.js'
import type { CoolDown } from '../token.js'
import type { Inconclusive } from './failure.js'

/**
 * Waiting time before the `n`th repetition (from 1): full jitter between 0 and a doubling cap, never less than the
 * server asked for.
 */
export function retryDelayMs(
  n: number,
  baseMs: number,
  retryAfterMs: number | undefined,
  random: () => number,
): number {
  return Math.max(retryAfterMs ?? 0, Math.floor(random() * baseMs * 2 ** Math.min(n, 10)))
}

const LASTING: ReadonlySet<Inconclusive['outcome']> = new Set(['unavailable', 'not-permitted', 'not-expiring'])

/**
 * How long a shop is left alone after a run without success: it doubles with every failure. An outage or a wrong
 * client secret ends for all shops at once, so its cap is low; a frozen shop stays frozen, and one without the app without
 * it, so their cap is the longest.
 */
export function coolDownAfter(
  refusal: Inconclusive,
  previous: CoolDown | null,
  now: number,
  { coolDownMs, outageCoolDownMs, maxCoolDownMs }: Durations,
): CoolDown {
  const failures = (previous === null || previous.scope === 'rejected' ? 0 : previous.failures) + 1
  const scope = refusal.outcome === 'suspect' ? 'suspect' : 'all'
  const cap = LASTING.has(refusal.outcome) ? maxCoolDownMs : outageCoolDownMs
  const asked = 'retryAfterMs' in refusal ? refusal.retryAfterMs : undefined
  const grown = Math.min(cap, coolDownMs * 2 ** Math.min(failures - 1, 30))
  return { until: now + Math.max(grown, asked ?? 0), failures, scope, stuck: previous?.stuck ?? false }
}

/**
 * How long renewals for refused tokens pause once Shopify's Admin API has refused a new token too: half the longest
 * cool-down, then all of it. Together at most two renewals in that time.
 */
export function coolDownAfterRejection(previous: CoolDown | null, now: number, { maxCoolDownMs }: Durations): CoolDown {
  const failures = (previous?.scope === 'rejected' ? previous.failures : 0) + 1
  const pauseMs = failures === 1 ? Math.ceil(maxCoolDownMs / 2) : maxCoolDownMs
  return { until: now + pauseMs, failures, scope: 'rejected', stuck: false }
}
