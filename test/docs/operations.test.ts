import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
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

describe('a rule of Shopify that a document names', () => {
  const rules = new MarkdownDocument('docs/shopify-protocol.md').table('Rotation').rows.map(([rule]) => rule)

  it.each(['docs/operations.md', 'docs/errors.md', 'SECURITY.md', 'ARCHITECTURE.md', 'README.md'])(
    'is one of those in Shopify’s protocol: %s',
    (path) => {
      for (const [rule] of new MarkdownDocument(path).text.matchAll(/\bR\d+\b/g)) expect(rules).toContain(rule)
    },
  )
})
