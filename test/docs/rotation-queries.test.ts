import { fingerprint, type TokenRecord } from '@shopify-tokens/core'
import { aMark, aRecord } from '@shopify-tokens/testing'
import { parseRepinOptions } from '../../packages/core/src/secret-rotation/repin-options.js'
import { createMariaDbDatabase, createPostgresDatabase, describeWithServer, type TestDatabase } from '../servers.js'
import { type FilledDatabase, fillDatabase } from './filled-database.js'
import { MarkdownDocument } from './markdown.js'

const page = new MarkdownDocument('docs/secret-rotation.md')
const queries = page.blocks.filter(({ language }) => language === 'sql').map(({ code }) => code)

const secretId = fingerprint('new')
const OLD = fingerprint('old')
const ROWS: Readonly<Record<string, TokenRecord>> = {
  moved: aRecord.expiring({ secretId }),
  dead: aRecord.expiring({ secretId, mark: aMark() }),
  frozen: aRecord.expiring({ secretId: OLD }),
  endless: aRecord.nonExpiring({ secretId: OLD }),
  custom: aRecord.static({ secretId: OLD }),
  removed: aRecord.removed(),
}

function answersAsTold(type: 'postgres' | 'mariadb', create: () => Promise<TestDatabase>): void {
  let database: FilledDatabase

  beforeAll(async () => {
    database = await fillDatabase(type, create, ROWS)
  }, 30_000)
  afterAll(async () => {
    await database.end()
  })

  it('counts the shops of each secret', async () => {
    const counted = await database.query(queries[0] ?? '')
    const told = counted.map((row) => [row.secret_id, row.kind, Boolean(row.marked), Number(row.shops)])
    expect(told).toHaveLength(5)
    expect(told).toEqual(
      expect.arrayContaining([
        [secretId, 'expiring', false, 1],
        [secretId, 'expiring', true, 1],
        [OLD, 'expiring', false, 1],
        [OLD, 'non-expiring', false, 1],
        [OLD, 'static', false, 1],
      ]),
    )
  })

  it('names the shops that are left', async () => {
    const query = (queries[1] ?? '').replace('0123456789abcdef', secretId)
    expect(query).toContain(secretId)
    const left = await database.query(query)
    expect(left.map(({ shop }) => shop)).toEqual(['endless.myshopify.com', 'frozen.myshopify.com'])
  })
}

describeWithServer('PostgreSQL', 'a query of the page on rotating the client secret, on PostgreSQL', () => {
  answersAsTold('postgres', createPostgresDatabase)
})

describeWithServer('MariaDB', 'a query of the page on rotating the client secret, on MariaDB', () => {
  answersAsTold('mariadb', createMariaDbDatabase)
})

it('there are as many as are tried', () => {
  expect(queries).toHaveLength(2)
})

it('the page reckons with the defaults of repinAll', () => {
  const { concurrency, perSecond } = parseRepinOptions({})
  const minutes = Math.round(50_000 / perSecond / 60)
  expect(page.text).toContain(`\`perSecond\` (default ${perSecond}) and \`concurrency\` (default ${concurrency})`)
  expect(page.text).toContain(`an hour and ${minutes - 60} minutes`)
})
