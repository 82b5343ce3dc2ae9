import type { TokenRecord } from '@shopify-tokens/core'
import { aCoolDown, aMark, aRecord } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { createMariaDbDatabase, createPostgresDatabase, describeWithServer, type TestDatabase } from '../servers.js'
import { type FilledDatabase, fillDatabase } from './filled-database.js'
import { MarkdownDocument } from './markdown.js'

const queriesOf = (path: string): readonly string[] =>
  new MarkdownDocument(path).blocks.filter(({ language }) => language === 'sql').map(({ code }) => code)

const queries = queriesOf('docs/operations.md')
const ofMarkedShops = queriesOf('docs/reauthorization.md')

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NOW = Date.now()
const atRisk = { refreshTokenExpiresAt: NOW + DEFAULT_DURATIONS.atRiskMs - DAY_MS }
const safe = { refreshTokenExpiresAt: NOW + DEFAULT_DURATIONS.atRiskMs + DAY_MS }
const ROWS: Readonly<Record<string, TokenRecord>> = {
  living: aRecord.expiring({ ...safe, expiresAt: NOW + HOUR_MS, sweepAt: NOW + DAY_MS }),
  failing: aRecord.expiring({ ...atRisk, expiresAt: NOW - HOUR_MS, sweepAt: NOW - HOUR_MS, coolDown: aCoolDown() }),
  marked: aRecord.expiring({ ...atRisk, sweepAt: NOW - DAY_MS, mark: aMark({ notifiedAt: 1_795_190_400_000 }) }),
  untold: aRecord.static({ mark: aMark({ reason: 'access-token-rejected' }) }),
  removed: aRecord.removed(),
}

/** What the queries say of the rows above, by the shops that they name. */
function answersAsTold(
  type: 'postgres' | 'mariadb',
  create: () => Promise<TestDatabase>,
  written: (sql: string) => string,
): void {
  let database: FilledDatabase
  const ask = (query: string): Promise<Record<string, unknown>[]> => database.query(written(query))

  beforeAll(async () => {
    database = await fillDatabase(type, create, ROWS)
    await database.query(`UPDATE shopify_tokens SET asked_at = ${NOW} WHERE shop = 'living.myshopify.com'`)
  }, 30_000)
  afterAll(async () => {
    await database.end()
  })

  it('counts the shops of each state', async () => {
    const [fleet = ''] = queries
    const counted = (await ask(fleet)).map(({ kind, marked, shops }) => [kind, Boolean(marked), Number(shops)])
    expect(counted).toHaveLength(4)
    expect(counted).toEqual(
      expect.arrayContaining([
        ['expiring', false, 2],
        ['expiring', true, 1],
        ['static', true, 1],
        ['removed', false, 1],
      ]),
    )
  })

  it('counts the marked shops by their reasons', async () => {
    const counted = (await ask(ofMarkedShops[1] ?? '')).map(({ reason, shops }) => [reason, Number(shops)])
    expect(counted.sort()).toEqual([
      ['access-token-rejected', 1],
      ['refresh-token-rejected', 1],
    ])
  })

  it.each([
    ['whose token has ended and whose renewal failed', queries[1], ['failing']],
    ['that are marked', queries[2], ['marked', 'untold']],
    ['that need their merchants', ofMarkedShops[0], ['marked', 'untold']],
    ['that nobody was told of', ofMarkedShops[2], ['untold']],
    ['that a sweep would visit, in its order', queries[4], ['living', 'marked', 'failing']],
    ['at risk', queries[5], ['failing']],
  ] as const)('names the shops %s', async (_what, query = '', names) => {
    const rows = await ask(query)
    expect(rows.map(({ shop }) => shop)).toEqual(names.map((name) => `${name}.myshopify.com`))
  })
}

it('there are as many as are tried', () => {
  expect([queries.length, ofMarkedShops.length]).toEqual([6, 3])
})

describeWithServer('PostgreSQL', 'newer rows of another copy', () => {
  it('take the places of older ones, and nothing else is touched', async () => {
    const database = await fillDatabase('postgres', createPostgresDatabase, {})
    const put = (table: string, shop: string, obtainedAt: number): Promise<unknown> =>
      database.query(
        `INSERT INTO ${table} (client_id, shop, version, revision, format, kind, marked, attempts, obtained_at)
         VALUES ('app', $1, $2, 1, 1, 'expiring', false, '[]', $3)`,
        [shop, table, obtainedAt],
      )
    try {
      await database.query('CREATE TABLE newer (LIKE shopify_tokens)')
      for (const [shop, here, there] of [
        ['older', 1, 2],
        ['newer', 2, 1],
        ['only-here', 1, null],
        ['only-there', null, 1],
      ] as const) {
        if (here !== null) await put('shopify_tokens', shop, here)
        if (there !== null) await put('newer', shop, there)
      }
      await database.query(queries[3] ?? '')

      const rows = await database.query('SELECT shop, version FROM shopify_tokens ORDER BY shop')
      expect(rows).toEqual([
        { shop: 'newer', version: 'shopify_tokens' },
        { shop: 'older', version: 'newer' },
        { shop: 'only-here', version: 'shopify_tokens' },
        { shop: 'only-there', version: 'newer' },
      ])
    } finally {
      await database.end()
    }
  })
})

describeWithServer('PostgreSQL', 'a query of the operations page on PostgreSQL', () => {
  answersAsTold('postgres', createPostgresDatabase, (sql) => sql)
})

describeWithServer('MariaDB', 'a query of the operations page on MariaDB', () => {
  answersAsTold('mariadb', createMariaDbDatabase, (sql) =>
    sql
      .replaceAll('EXTRACT(EPOCH FROM now()) * 1000', 'UNIX_TIMESTAMP() * 1000')
      .replaceAll("mark::json ->> 'reason'", "JSON_VALUE(mark, '$.reason')"),
  )
})
