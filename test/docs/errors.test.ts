import { type AnyShopifyTokenError, errorAnswer } from '@shopify-tokens/core'
import { MarkdownDocument, plain } from './markdown.js'
import { SourceFacts } from './source-facts.js'

const document = new MarkdownDocument('docs/errors.md')
const facts = new SourceFacts('packages/core/src/errors.ts')
const codes = facts.stringsOf('ErrorCode')

/** Headings that are no code's. */
const OTHERS = ['What the token endpoint answers']

it('has a heading for every error code and for nothing else', () => {
  const headings = document.headings.filter(({ level, text }) => level > 1 && !OTHERS.includes(text))
  expect(codes.length).toBeGreaterThan(10)
  expect(headings.map(({ text }) => text).sort()).toEqual([...codes].sort())
})

describe.each(codes)('%s', (code) => {
  const section = (): string => document.section(code)

  it('tells who must act and what to do', () => {
    expect(section()).toMatch(/^- \*\*Who must act:\*\* \S/m)
    expect(section()).toMatch(/^- \*\*What to do:\*\* \S/m)
  })

  it('tells the status with which a request is answered', () => {
    const made = { [Symbol.for('@shopify-tokens/error')]: true, code, missing: [], granted: [] }
    const error = made as unknown as AnyShopifyTokenError
    const told = /^- \*\*Answered with:\*\* (nothing|\d{3})(.*)/m.exec(section())
    if (code === 'ERR_INVALID_OPTION') {
      expect(told?.[1]).toBe('nothing')
      return
    }
    const answer = errorAnswer(error, { authPath: '/auth' })
    expect(told?.[1]).toBe(String(answer?.status))
    expect(told?.[2]?.includes('`Retry-After`')).toBe(answer?.headers['retry-after'] !== undefined)
  })
})

it('explains every reason for a reauthorization', () => {
  const { rows } = document.table('ERR_REAUTHORIZATION_REQUIRED')
  expect(rows.map(([reason]) => plain(reason)).sort()).toEqual([...facts.stringsOf('ReauthorizationReason')].sort())
})

it.each([
  ['ERR_INVALID_SESSION_TOKEN', 'SessionTokenFlaw'],
  ['ERR_INVALID_CALLBACK', 'CallbackFlaw'],
  ['ERR_INVALID_WEBHOOK', 'WebhookFlaw'],
])('names every flaw of %s', (code, flaws) => {
  const section = document.section(code)
  for (const flaw of facts.stringsOf(flaws)) expect(section).toContain(`\`${flaw}\``)
})
