import { parseShop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { createPostgresDatabase, describeWithServer } from '../servers.js'
import { AppProcess } from './app-process.js'
import { createSqliteFile, startShopify, TokenDatabase } from './token-database.js'

jest.setTimeout(60_000)

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const REQUESTS = 50
const shop = parseShop('own.myshopify.com')

interface Backend {
  readonly name: string
  readonly open: () => Promise<{ readonly url: string; drop(): Promise<void> }>
}

/** Two processes of one app, and the time in which they and Shopify live. */
interface Stage {
  readonly shopify: FakeShopify
  readonly apps: readonly AppProcess[]
  /** Lets time pass for all of them. */
  pass(ms: number): Promise<void>
  /** Each process gets its requests at once. Answers with what failed. */
  rush(): Promise<readonly string[]>
}

async function onStage(open: Backend['open'], play: (stage: Stage) => Promise<void>): Promise<void> {
  const file = await open()
  let passedMs = 0
  const shopify = await startShopify({ clock: { now: () => Date.now() + passedMs } })
  shopify.installShop(shop)
  const database = await TokenDatabase.open(file.url)
  const apps: AppProcess[] = []
  try {
    const options = { shopifyUrl: shopify.url, environment: database.environment, grant: 'client-credentials' } as const
    apps.push(...(await Promise.all([AppProcess.start(options), AppProcess.start(options)])))
    await play({
      shopify,
      apps,
      pass: async (ms) => {
        passedMs += ms
        await Promise.all(apps.map((app) => app.pass(ms)))
      },
      rush: async () => (await Promise.all(apps.map((app) => app.requests(shop, REQUESTS)))).flat(),
    })
  } finally {
    await Promise.all(apps.map((app) => app.kill()))
    await database.close()
    await shopify.close()
    await file.drop()
  }
}

function twoProcessesShareOneToken({ name, open }: Backend): void {
  it('ask for one token, whichever gets the hundred requests first, and for one more each day', async () => {
    await onStage(open, async ({ apps, pass, rush, shopify }) => {
      const hold = shopify.hold('token')
      const first = rush()
      await hold.arrived()
      // Either the other process waits for the first one's token, as it should, or it calls Shopify too.
      await Promise.race([hold.arrived(2), ...apps.map((app) => app.until(() => app.waiting.has(shop)))])
      hold.release()
      const failures = [...(await first)]
      expect(shopify.counters(shop).tokenCalls).toBe(1)

      // The token has two minutes left: it is served, and the next one requested behind the requests.
      await pass(DAY_MS - 2 * MINUTE_MS)
      failures.push(...(await rush()))
      await Promise.all(apps.map((app) => app.settle()))
      expect(shopify.counters(shop).tokenCalls).toBe(2)

      // It is over: they wait for the next one.
      await pass(2 * DAY_MS)
      failures.push(...(await rush()))

      const { adminCallsByStatus, tokenCalls, tokenCallsByGrant } = shopify.counters(shop)
      process.stdout.write(`${name}: 2 processes, 300 requests on three days, ${tokenCalls} token calls, `)
      process.stdout.write(`${failures.length} failures\n`)
      expect(failures).toEqual([])
      expect(adminCallsByStatus).toEqual({ 200: 6 * REQUESTS })
      expect(tokenCallsByGrant['client-credentials'].granted).toBe(3)
      expect(tokenCalls).toBe(3)
    })
  })
}

describe('two processes with client credentials on one SQLite file', () => {
  twoProcessesShareOneToken({ name: 'SQLite', open: createSqliteFile })
})

describeWithServer('PostgreSQL', 'two processes with client credentials on one PostgreSQL', () => {
  twoProcessesShareOneToken({ name: 'PostgreSQL', open: createPostgresDatabase })
})
