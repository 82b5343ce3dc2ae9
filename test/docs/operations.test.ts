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

describe('a rule of Shopify that a document names', () => {
  const rules = new MarkdownDocument('docs/shopify-protocol.md').table('Rotation').rows.map(([rule]) => rule)

  it.each(['docs/operations.md', 'docs/errors.md', 'SECURITY.md', 'ARCHITECTURE.md', 'README.md'])(
    'is one of those in Shopify’s protocol: %s',
    (path) => {
      for (const [rule] of new MarkdownDocument(path).text.matchAll(/\bR\d+\b/g)) expect(rules).toContain(rule)
    },
  )
})
