import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Grace, Replay } from '@shopify-tokens/testing'
import { seeded } from '../seeded.js'
import { explore, type Findings } from './explore.js'
import { sample } from './sample.js'
import type { Scenario, Wanted } from './scenario.js'

const REPLAYS: readonly Replay[] = ['same-pair', 'same-verbatim', 'new-pair']
const GRACES: readonly Grace[] = ['until-used', '60-minutes', 'none']
/** Runs of which so many want this and so many that. */
const mixes = (one: Wanted, other: Wanted, runs: number): Wanted[][] =>
  Array.from({ length: runs + 1 }, (_, others) => [
    ...Array<Wanted>(runs - others).fill(one),
    ...Array<Wanted>(others).fill(other),
  ])
const PAIRS: readonly (readonly Wanted[])[] = [2, 3, 4].flatMap((runs) => mixes('refresh', 'acquire', runs))
/** Where the shop is on a non-expiring token in the beginning. */
const MIGRATIONS: readonly (readonly Wanted[])[] = [
  ['migrate', 'migrate'],
  ['migrate', 'renew'],
  ['migrate', 'refused'],
  ['migrate', 'acquire'],
  ['migrate', 'authorize'],
  ['migrate', 'migrate', 'migrate'],
  ['migrate', 'migrate', 'renew'],
  ['migrate', 'migrate', 'refused'],
  ['migrate', 'migrate', 'acquire'],
  ['migrate', 'refused', 'renew'],
  ['migrate', 'refused', 'acquire'],
]
/** More situations than this are not explored but sampled. */
const MAX_STATES = 600_000
const SAMPLES = 1_000
const SEED = 20_261_120
const RESULTS = join(__dirname, 'results')

interface Line {
  readonly runs: string
  readonly leases: boolean
  readonly replay: Replay
  readonly grace: Grace
  readonly findings: Findings
  readonly seconds: number
}

const lines: Line[] = []

function titleOf(wants: readonly Wanted[]): string {
  const counts = new Map<Wanted, number>()
  for (const want of wants) counts.set(want, (counts.get(want) ?? 0) + 1)
  return [...counts].map(([want, count]) => `${String(count)} ${want}`).join(', ')
}

/** Where the situations of runs that nothing keeps apart, or of four that acquire, are known to be too many. */
function isWithinReach({ wants, leases }: Scenario): boolean {
  if (wants.length === 2) return true
  return leases && (wants.length === 3 || !wants.includes('acquire'))
}

async function find(scenario: Scenario): Promise<Findings> {
  if (isWithinReach(scenario)) {
    const findings = await explore(scenario, { states: MAX_STATES })
    if (findings.complete) return findings
  }
  return sample(scenario, SAMPLES, seeded(SEED))
}

/** One line per kind of runs and leases, over all combinations of replay and grace. */
function table(): string {
  const groups = new Map<string, Line[]>()
  for (const line of lines) {
    const kind = `${line.runs} | ${line.leases ? 'yes' : 'no'} | ${line.findings.complete ? 'complete' : 'sampled'}`
    groups.set(kind, [...(groups.get(kind) ?? []), line])
  }
  const rows = [...groups].map(([kind, group]) => {
    const sum = (of: (line: Line) => number): string =>
      group.reduce((total, line) => total + of(line), 0).toLocaleString('en', { maximumFractionDigits: 0 })
    const flaws = new Set(group.flatMap(({ findings }) => [...findings.flaws.keys()]))
    const counts = [
      String(group.length),
      sum(({ findings }) => findings.schedules),
      sum(({ findings }) => findings.states),
      sum(({ findings }) => findings.ends.size),
      sum(({ findings }) => findings.lost),
    ]
    const seconds = sum(({ seconds }) => seconds)
    return `| ${kind} | ${counts.join(' | ')} | ${[...flaws].join(', ') || 'none'} | ${seconds} |`
  })
  return [
    '| runs | leases | explored | switches | schedules | situations | ends | lost, excused | flaws | seconds |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function keepResults(): void {
  mkdirSync(RESULTS, { recursive: true })
  const about = [
    'At most one fault: a kill, a lost answer, or a request or write that arrives late. Each line sums combinations of',
    `replay and grace. Sampled: ${String(SAMPLES)} schedules per combination, drawn with seed ${String(SEED)}.`,
    'Lost, excused: ends after which a shop needs its merchant, after a fault for which the gate allows that.',
  ].join('\n')
  writeFileSync(join(RESULTS, 'table.md'), `# Interleavings\n\n${about}\n\n<!-- prettier-ignore -->\n${table()}`)
  const details = lines.map(({ findings, ...line }) => ({
    ...line,
    ...findings,
    ends: findings.ends.size,
    flaws: Object.fromEntries(findings.flaws),
  }))
  writeFileSync(join(RESULTS, 'scenarios.json'), `${JSON.stringify(details, null, 2)}\n`)
}

afterAll(() => {
  process.stdout.write(`\n${table()}\n`)
  // A part of the scenarios, chosen by name, is no result to keep.
  if (lines.length === (PAIRS.length + MIGRATIONS.length) * 2 * REPLAYS.length * GRACES.length) keepResults()
})

describe.each([...PAIRS, ...MIGRATIONS].map((wants) => [titleOf(wants), wants] as const))(
  '%s, at most one fault',
  (runs, wants) => {
    it.each([true, false])(
      'lose no shop under any combination of replay and grace (leases: %s)',
      async (leases) => {
        const flaws: string[] = []
        for (const replay of REPLAYS) {
          for (const grace of GRACES) {
            const began = process.hrtime.bigint()
            const findings = await find({ wants, leases, replay, grace, faults: 1 })
            const seconds = Number(process.hrtime.bigint() - began) / 1e9
            lines.push({ runs, leases, replay, grace, findings, seconds: Math.round(seconds * 10) / 10 })
            for (const [flaw, story] of findings.flaws) flaws.push(`${flaw} (${replay}, ${grace}): ${story}`)
          }
        }
        expect(flaws).toEqual([])
      },
      3_600_000,
    )
  },
)
