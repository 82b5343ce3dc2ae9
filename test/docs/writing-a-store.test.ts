import { lockContractClauses, tokenStoreClauses } from '@shopify-tokens/testing'
import { MarkdownDocument } from './markdown.js'

const rows = new MarkdownDocument('docs/writing-a-store.md').tables
  .filter(({ header }) => header[0] === 'clause')
  .flatMap((table) => table.rows.map(([id = '', title = '']) => ({ id, title })))

it.each([
  ['token store', 'TS-', tokenStoreClauses],
  ['lock', 'LK-', lockContractClauses],
] as const)('repeats every clause of the %s contract, in order, word for word', (_name, prefix, clauses) => {
  expect(clauses.length).toBeGreaterThan(5)
  expect(rows.filter(({ id }) => id.startsWith(prefix))).toEqual(clauses)
})

it('names no other clause', () => {
  expect(rows).toHaveLength(tokenStoreClauses.length + lockContractClauses.length)
})
