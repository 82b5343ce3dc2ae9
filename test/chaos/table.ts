import type { Result } from './result.js'

type Row = readonly [title: string, value: (result: Result) => string | number]

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, n) => sum + n, 0)

const ROWS: readonly Row[] = [
  ['rotations', ({ rotations }) => rotations],
  ['  least under one pair of switches', ({ pairs }) => Math.min(...pairs.map(({ rotations }) => rotations))],
  ['acquisitions', ({ acquisitions }) => acquisitions],
  ['requests served', ({ requestsServed }) => requestsServed],
  ['SIGKILLs', ({ kills }) => total(kills)],
  ['  least at one point', ({ kills }) => Math.min(...Object.values(kills))],
  ['workers stopped past their lease', ({ pauses }) => pauses],
  ['faults of requests and answers', ({ faults }) => total(faults)],
  ['outages of the store and Redis', ({ outages }) => total(outages)],
  ['token calls per stored pair', ({ tokenCallsPerRotation }) => tokenCallsPerRotation],
  ['leases expired', ({ leasesExpired }) => leasesExpired],
  ['retired tokens presented', ({ retiredTokensPresented }) => retiredTokensPresented],
  ['writes acknowledged', ({ acknowledgedWrites }) => acknowledgedWrites],
  ['refreshes lost: grace over', ({ refreshesLost }) => refreshesLost],
  ['acquisitions lost', ({ acquisitionsLost }) => acquisitionsLost],
  ['  not ordered, a pair lived', ({ acquisitionsLostFromLivingPair }) => acquisitionsLostFromLivingPair],
  ['shops checked at the end', ({ shopsChecked }) => shopsChecked],
  ['shops orphaned', ({ shopsOrphaned }) => shopsOrphaned],
  ['requests failed on valid tokens', ({ failedOnValidTokens }) => failedOnValidTokens],
  ['writes over an unread record', ({ wrongWrites }) => wrongWrites],
  ['broken promises', ({ broken }) => broken.length],
  ['seconds', ({ seconds }) => seconds],
]

/** One column per backend. */
export function table(results: readonly Result[]): string {
  const cells = [
    ['', ...results.map(({ backend }) => backend)],
    ...ROWS.map(([title, value]) => [title, ...results.map((result) => String(value(result)))]),
  ]
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('  ')
  return cells.map(line).join('\n')
}
