import { fingerprint, type LogEntry } from '@shopify-tokens/testing'
import type { ShopHistory } from './history.js'

/** What a shop has been through, in order, without a secret. */
export type Trail = readonly string[]

/** Tells what Shopify was asked and did, what workers received and stored, and what they announced. */
export function trailOf(since: number, calls: readonly LogEntry[], { arrived, stored, events }: ShopHistory): Trail {
  const lines: (readonly [at: number, text: string])[] = []
  for (const { at, grant, presented, outcome, reason, fault, duplicate, requestId } of calls) {
    const pair = arrived.get(requestId)
    const became = pair === undefined ? 'never arrived' : `brought ${fingerprint(pair.refreshToken)}`
    const notes = [reason, fault, duplicate === true ? 'again' : undefined].filter((note) => note !== undefined)
    lines.push([at, `${grant ?? ''} of ${presented ?? ''} ${outcome}, ${became} ${notes.join(', ')}`.trimEnd()])
  }
  for (const [token, at] of stored) lines.push([at, `stored ${fingerprint(token)}`])
  for (const { type, at, ...details } of events)
    lines.push([at, `${type} ${JSON.stringify({ ...details, shop: undefined })}`])
  return lines
    .filter(([at]) => at >= since - 1_000)
    .sort(([a], [b]) => a - b)
    .map(([at, text]) => `${at - since} ms: ${text}`)
}
