import type { TokenRecord } from '@shopify-tokens/core'
import { aCoolDown, aMark, anAttempt, aRecord, aToken } from '@shopify-tokens/testing'
import { RECORD_COLUMNS } from '../../packages/typeorm-store/src/columns.js'
import { toCells, toRecord } from '../../packages/typeorm-store/src/row.js'

const SHOP = 'acme.myshopify.com'
const SECRET = 'shprt_planted'

const full = aRecord.expiring({
  attempts: [anAttempt()],
  mark: aMark(),
  coolDown: aCoolDown(),
  sweepAt: 1,
  alternates: [aToken('shprt')],
  predecessor: aToken('shprt'),
})
const records: TokenRecord[] = [
  full,
  aRecord.clientCredentials({ attempts: [anAttempt({ grant: 'client-credentials' })] }),
  aRecord.nonExpiring(),
  aRecord.static(),
  aRecord.empty(),
  aRecord.removed(),
]

function row(record: TokenRecord, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { format: 1, ...toCells(record), ...changes }
}

/** The error that reading this row ends with. */
function flawOf(record: TokenRecord, changes: Readonly<Record<string, unknown>>): Error {
  try {
    toRecord(row(record, changes), SHOP)
  } catch (error) {
    return error as Error
  }
  throw new Error('the row was read')
}

describe('writing a record', () => {
  it.each(records)('gives every record column a value: $kind', (record) => {
    const cells = toCells(record)
    expect(Object.keys(cells).sort()).toEqual(RECORD_COLUMNS.map(({ name }) => name).sort())
    expect(Object.values(cells)).not.toContain(undefined)
  })

  it('cuts instants to whole milliseconds', () => {
    expect(toCells(aRecord.expiring({ renewAt: 1_795_000_000_000.7 })).renew_at).toBe(1_795_000_000_000)
  })

  it.each([NaN, Infinity, 2 ** 60])('refuses %p as an instant, and names the column', (expiresAt) => {
    expect(() => toCells(aRecord.expiring({ expiresAt }))).toThrow(/^expires_at /)
  })
})

describe('reading a row', () => {
  it.each(records)('gives back the record that was written: $kind', (record) => {
    expect(toRecord(row(record), SHOP)).toEqual(record)
  })

  it('takes whole numbers and flags in each way in which drivers give them', () => {
    for (const give of [String, BigInt, Number]) {
      const changes = { expires_at: give(full.expiresAt), minted_for_rejected: 0, marked: 1n, format: give(1) }
      expect(toRecord(row(full, changes), SHOP)).toEqual(full)
    }
  })

  it.each([
    ['expires_at', '1.5'],
    ['expires_at', 1.5],
    ['expires_at', null],
    ['expires_at', SECRET],
    ['expires_at', '99999999999999999999'],
    ['access_token', null],
    ['access_token', 7],
    ['refresh_token', null],
    ['minted_for_rejected', 2],
    ['minted_for_rejected', null],
    ['marked', false],
    ['mark', null],
    ['kind', SECRET],
    ['format', 0],
    ['scopes', SECRET],
    ['scopes', `["${SECRET}", 7]`],
    ['alternates', `{"0":"${SECRET}"}`],
    ['attempts', `[{"id":"${SECRET}"}]`],
    ['attempts', `[{"id":"a","grant":"${SECRET}","credential":"c","at":1}]`],
    ['attempts', `[{"id":"a","grant":"code","credential":"c","at":1,"more":"${SECRET}"}]`],
    ['attempts', 'null'],
    ['mark', `{"reason":"${SECRET}","at":1,"triedAt":1,"notifiedAt":null}`],
    ['mark', `{"reason":"access-token-rejected","at":1,"triedAt":1,"notifiedAt":"${SECRET}"}`],
    ['mark', '{"reason":"access-token-rejected","at":1,"triedAt":1}'],
    ['mark', '"text"'],
    ['cool_down', '{"until":1,"failures":1,"scope":"all","stuck":false,"constructor":1}'],
    ['cool_down', '{"until":"1","failures":1,"scope":"all","stuck":false}'],
  ])('refuses %s = %p, naming the column and never the value', (column, value) => {
    const flaw = flawOf(full, { [column]: value })
    expect(flaw).toMatchObject({ code: 'ERR_STORE_UNREADABLE', shop: SHOP })
    expect(flaw.message).toMatch(new RegExp(`column (${column}|marked) `))
    expect(`${flaw.message}${String(flaw.stack)}`).not.toContain(SECRET)
  })

  it.each([
    [aRecord.removed(), 'access_token'],
    [aRecord.empty(), 'refresh_token'],
    [aRecord.static(), 'expires_at'],
    [aRecord.clientCredentials(), 'refresh_token'],
    [aRecord.nonExpiring(), 'removed_at'],
  ])('refuses what a kind does not have: $kind with %s', (record, column) => {
    expect(flawOf(record, { [column]: 1 }).message).toContain(`column ${column} is not empty`)
  })

  it('refuses a newer format, whatever else the row holds', () => {
    expect(flawOf(full, { format: 2, kind: 'from-the-future' }).message).toContain('format 2')
  })
})
