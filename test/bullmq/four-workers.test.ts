import { setTimeout as delay } from 'node:timers/promises'
import { planFleet } from '@shopify-tokens/bullmq'
import { readEnvironment, type Shop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { openTokenManager } from '@shopify-tokens/typeorm-store/from-environment'
import { someShops } from '../core/managed-app.js'
import { startShopify, TokenDatabase } from '../races/token-database.js'
import { createPostgresDatabase, describeWithServer, type TestDatabase } from '../servers.js'
import { Bull } from './bull.js'
import { FleetProcess } from './fleet-process.js'
import { mostWithinASecond } from './most-within-a-second.js'

const SHOPS = 5_000
const WORKERS = 4
const CONCURRENCY = 5
const PER_SECOND = 300
const SECOND_MS = 1_000
const MONTH_MS = 30 * 86_400_000

describeWithServer('PostgreSQL', 'a fleet on one queue', () => {
  describeWithServer('Redis', 'with four workers', () => {
    let bull: Bull
    let database: TestDatabase
    let rows: TokenDatabase
    let shopify: FakeShopify
    const machines: FleetProcess[] = []

    beforeEach(async () => {
      bull = new Bull()
      database = await createPostgresDatabase()
      rows = await TokenDatabase.open(database.url)
      shopify = await startShopify({ logLimit: 2 * SHOPS })
    })

    afterEach(async () => {
      await Promise.all(machines.splice(0).map((machine) => machine.kill()))
      await bull.close()
      await shopify.close()
      await rows.close()
      await database.drop()
    })

    async function seed(shops: readonly Shop[]): Promise<void> {
      const left = [...shops]
      const one = async (): Promise<void> => {
        for (let shop = left.pop(); shop !== undefined; shop = left.pop()) {
          await rows.seed(shopify, shop, { ageMs: MONTH_MS })
        }
      }
      await Promise.all(Array.from({ length: 10 }, one))
      shopify.resetCounters()
    }

    async function plan(): Promise<unknown> {
      const opened = openTokenManager(readEnvironment(rows.environment), { announce: () => undefined })
      const planned = await planFleet(bull.queue('fleet'), opened.tokens, 'due')
      await opened.close()
      return planned
    }

    function granted(shop: Shop | string): number {
      return shopify.counters(shop).tokenCallsByGrant.refresh.granted
    }

    it('of which one is stalled renews 5 000 shops, none twice, and never faster than it may', async () => {
      const shops = someShops(SHOPS)
      await seed(shops)
      expect(await plan()).toEqual({ planned: SHOPS })
      const { host = '127.0.0.1', port = 6379 } = bull.connection.options
      const options = {
        ...{ connection: { host, port }, prefix: bull.prefix, queueName: 'fleet', shopifyUrl: shopify.url },
        rate: { perSecond: PER_SECOND, inFlight: WORKERS * CONCURRENCY },
        concurrency: CONCURRENCY,
      }
      const started = Date.now()
      machines.push(
        ...(await Promise.all(
          Array.from({ length: WORKERS }, (_, n) =>
            FleetProcess.start({ ...options, isToStall: n === 0 }, rows.environment),
          ),
        )),
      )
      const [stalled] = machines as [FleetProcess, ...FleetProcess[]]
      await eventually(() => stalled.held.length === CONCURRENCY)
      stalled.stop()
      expect(stalled.held.map(granted)).toEqual(stalled.held.map(() => 0))
      await eventually(() => stalled.held.every((shop) => granted(shop) === 1))
      stalled.goOn()
      await eventually(() => shopify.counters().tokenCallsByGrant.refresh.granted >= SHOPS)
      const seconds = (Date.now() - started) / SECOND_MS
      const counts = await Promise.all(machines.map((machine) => machine.leave()))

      const calls = shopify.log().filter(({ endpoint }) => endpoint === 'token')
      const most = mostWithinASecond(calls.map(({ at }) => at))
      console.log(
        [
          `${SHOPS} shops, ${calls.length} calls of the token endpoint, ${Math.max(...shops.map(granted))} at most per shop,`,
          `in ${seconds.toFixed(1)} s; at most ${most} within a second (${PER_SECOND} allowed);`,
          `per worker: ${counts.map(({ renewed }) => renewed).join(', ')}; of the stalled one's ${CONCURRENCY} jobs`,
          `${counts[0]?.notDue ?? 0} were done when it woke up.`,
        ].join(' '),
      )
      expect(shops.filter((shop) => granted(shop) !== 1)).toEqual([])
      expect(calls).toHaveLength(SHOPS)
      expect(most).toBeLessThanOrEqual(PER_SECOND)
      expect(counts[0]?.notDue).toBe(CONCURRENCY)
      expect(machines.flatMap(({ failures }) => failures)).toEqual([])
    }, 300_000)
  })
})

/** As long as it takes: the machine may be busy with other tests, and the test has its own deadline. */
async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(100)
}
