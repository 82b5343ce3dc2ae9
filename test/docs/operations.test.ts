import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { parseKeepAliveOptions, parseSweepOptions } from '../../packages/core/src/keep-alive/sweep-options.js'
import { MarkdownDocument, plain } from './markdown.js'
import { SourceFacts } from './source-facts.js'

const document = new MarkdownDocument('docs/operations.md')
const types = new SourceFacts('packages/core/src/index.ts').stringsOf('TokenEventType')

/** The headings one level below the one named. */
function headingsUnder(name: string): readonly string[] {
  const { level, line } = document.headings.find(({ text }) => text === name) ?? { level: 0, line: Infinity }
  const end = document.headings.find((heading) => heading.line > line && heading.level <= level)?.line ?? Infinity
  return document.headings
    .filter((heading) => heading.line > line && heading.line < end && heading.level === level + 1)
    .map(({ text }) => text)
}

it('has a heading for every event and for nothing else', () => {
  expect(types.length).toBeGreaterThan(20)
  expect([...headingsUnder('Events')].sort()).toEqual([...types].sort())
})

it('says of every event who hears of it', () => {
  const { rows } = document.table('What to watch')
  expect(rows.map(([type]) => plain(type)).sort()).toEqual([...types].sort())
  for (const [, whom] of rows) expect(whom).toMatch(/^(wake somebody|a ticket|nobody)\b/)
})

it.each(types)('%s: tells what it means, what happens by itself, what to do, and when it is over', (type) => {
  const parts = [...document.section(type).matchAll(/^- \*\*(.+?):\*\* \S/gm)].map(([, part]) => part)
  expect(parts).toEqual(['What it means', 'By itself', 'What to do', 'Over when'])
})

it('reckons the size of a fleet from the defaults', () => {
  const { leaseMs, refreshAheadMs, revalidateMs } = DEFAULT_DURATIONS
  const renewalsPerSecond = 50_000 / ((3_600_000 - refreshAheadMs * 1.1) / 1000)
  const figures = new Map(document.table('Sizing').rows.map(([what = '', , figure = '']) => [what, figure]))
  expect(figures.get('renewals')).toBe(`${renewalsPerSecond.toFixed()} a second`)
  expect(figures.get('writes')).toBe(`${(2 * renewalsPerSecond).toFixed()} a second`)
  expect(figures.get('reads behind requests')?.replace(' ', '')).toMatch(`${(5e7 / revalidateMs).toFixed()} a second`)
  expect(figures.get('time a request may wait')).toBe(`${((leaseMs + 2_000) / 1000).toFixed()} s`)
})

it('reckons the rates of a sweep from the defaults', () => {
  const { keepAliveMs, requestTimeoutMs } = DEFAULT_DURATIONS
  const { concurrency, perSecond } = parseSweepOptions({})
  const { askedEveryMs, sweepEveryMs } = parseKeepAliveOptions({})
  const figures = document.table('Rates of a sweep').rows.map(([, , figure = '']) => figure)
  const each = (ms: number): string => ((50_000 / keepAliveMs) * ms).toFixed()
  expect(figures).toEqual([
    `${each(86_400_000).replace('2500', '2 500')} a day, ${each(3_600_000)} an hour, ${each(sweepEveryMs)} in each sweep`,
    `${Math.ceil(Number(each(sweepEveryMs)) / perSecond).toFixed()} s of ten minutes`,
    `${(50_000 / perSecond / 60).toFixed()} min, and again every ${(keepAliveMs / 86_400_000).toFixed()} days`,
    `${(perSecond * 0.3).toFixed()} at one time; \`concurrency\` is for slow days`,
    `${((concurrency * 1_000) / requestTimeoutMs).toFixed(1)} a second: 50 000 take ${(50_000 / ((concurrency * 1_000) / requestTimeoutMs) / 3_600).toFixed()} hours`,
    `${(2_000 / askedEveryMs + 2_000 / sweepEveryMs).toFixed()} a second, per process`,
  ])
})

describe('a rule of Shopify that a document names', () => {
  const rules = new MarkdownDocument('docs/shopify-protocol.md').table('Rotation').rows.map(([rule]) => rule)

  it.each(['docs/operations.md', 'docs/errors.md', 'SECURITY.md', 'ARCHITECTURE.md', 'README.md'])(
    'is one of those in Shopify’s protocol: %s',
    (path) => {
      for (const [rule] of new MarkdownDocument(path).text.matchAll(/\bR\d+\b/g)) expect(rules).toContain(rule)
    },
  )
})
