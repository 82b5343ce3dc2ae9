import { fingerprint, Secret, type TokenRecord } from '@shopify-tokens/core'
import { aKey, aMark, aRecord } from '@shopify-tokens/testing'
import { migrateTokenDatabase, openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import { DataSource } from 'typeorm'
import { parseRepinOptions } from '../../packages/core/src/secret-rotation/repin-options.js'
import { createMariaDbDatabase, createPostgresDatabase, describeWithServer, type TestDatabase } from '../servers.js'
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
  let database: TestDatabase
  let connection: DataSource

  beforeAll(async () => {
    database = await create()
    await migrateTokenDatabase({ url: database.url })
    const { store, close } = openTokenStore({
      configuration: {
        database: { kind: 'server', url: new Secret(database.url) },
        sealing: { kind: 'keys', keys: [{ id: 'k1', bytes: Buffer.alloc(32, 1) }] },
      },
      announce: () => undefined,
    })
    for (const [name, record] of Object.entries(ROWS)) await store.put(aKey({ shop: name }), record, 'absent')
    await close()
    connection = await new DataSource({ type, url: database.url }).initialize()
  }, 30_000)
  afterAll(async () => {
    await connection.destroy()
    await database.drop()
  })

  it('counts the shops of each secret', async () => {
    const counted = await connection.query<Record<string, unknown>[]>(queries[0] ?? '')
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
    const left = await connection.query<{ shop: string }[]>(query)
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
