import { copyFile } from 'node:fs/promises'
import { parseShop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { AppProcess } from '../races/app-process.js'
import { createSqliteFile, startShopify, TokenDatabase } from '../races/token-database.js'
import { serverUrls } from '../server-urls.mjs'
import { createPostgresDatabase, describeWithServer, runOnPostgres } from '../servers.js'

jest.setTimeout(120_000)

const HOUR_MS = 3_600_000
const shop = parseShop('copied.myshopify.com')

/** A database, and an empty one that can be made a copy of it while nobody is connected to either. */
interface Twins {
  readonly original: string
  readonly twin: string
  copy(): Promise<void>
  drop(): Promise<void>
}

async function postgresTwins(): Promise<Twins> {
  const admin = serverUrls().PostgreSQL
  const [original, twin] = [await createPostgresDatabase(), await createPostgresDatabase()]
  return {
    original: original.url,
    twin: twin.url,
    async copy() {
      await runOnPostgres(admin, `DROP DATABASE ${twin.name}`)
      await runOnPostgres(admin, `CREATE DATABASE ${twin.name} TEMPLATE ${original.name}`)
    },
    async drop() {
      await original.drop()
      await twin.drop()
    },
  }
}

async function sqliteTwins(): Promise<Twins> {
  const [original, twin] = [await createSqliteFile(), await createSqliteFile()]
  return {
    original: original.url,
    twin: twin.url,
    copy: () => copyFile(original.file, twin.file),
    async drop() {
      await original.drop()
      await twin.drop()
    },
  }
}

function theCopyRefuses(open: () => Promise<Twins>): void {
  let twins: Twins
  let shopify: FakeShopify
  let passedMs: number
  const apps: AppProcess[] = []

  async function start(url: string, deployment: string | null): Promise<AppProcess> {
    const { environment } = new TokenDatabase(url)
    const named = deployment === null ? {} : { SHOPIFY_TOKENS_DEPLOYMENT: deployment }
    const app = await AppProcess.start({
      ...{ shopifyUrl: shopify.url, environment: { ...environment, ...named }, skewMs: passedMs },
    })
    apps.push(app)
    return app
  }

  beforeEach(async () => {
    passedMs = 0
    twins = await open()
    shopify = await startShopify({ clock: { now: () => Date.now() + passedMs } })
    const database = await TokenDatabase.open(twins.original)
    await database.seed(shopify, shop, { ageMs: 2 * HOUR_MS })
    await database.close()
    const first = await start(twins.original, 'production')
    expect(await first.requests(shop, 5)).toEqual([])
    await first.leave()
    await twins.copy()
  })
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.kill()))
    await shopify.close()
    await twins.drop()
  })

  it.each([
    ['of another name', 'staging'],
    ['without a name', null],
  ])('to renew for a deployment %s, and serves what is valid', async (_which, name) => {
    const copy = await start(twins.twin, name)
    expect(await copy.requests(shop, 5)).toEqual([])

    passedMs += 2 * HOUR_MS
    await copy.pass(2 * HOUR_MS)
    expect(await copy.requests(shop, 5)).toEqual(Array(5).fill('ERR_FOREIGN_DEPLOYMENT'))
    expect(copy.eventsOf('deployment.foreign')).not.toEqual([])
    expect(shopify.counters(shop).tokenCalls).toBe(1)

    const original = await start(twins.original, 'production')
    expect(await original.requests(shop, 5)).toEqual([])
    expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 2, retiredTokensPresented: 0 })
  })

  it('until it is adopted', async () => {
    passedMs += 2 * HOUR_MS
    const copy = await start(twins.twin, 'staging')
    expect(await copy.requests(shop, 1)).toEqual(['ERR_FOREIGN_DEPLOYMENT'])

    expect(await copy.adoptDeployment()).toBe(true)

    expect(await copy.requests(shop, 5)).toEqual([])
    expect(shopify.counters(shop).tokenCalls).toBe(2)
  })
}

describeWithServer('PostgreSQL', 'a copy of a PostgreSQL database refuses', () => {
  theCopyRefuses(postgresTwins)
})

describe('a copy of a SQLite file refuses', () => {
  theCopyRefuses(sqliteTwins)
})
