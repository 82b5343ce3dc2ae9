import { parseShop, type Shop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { createMariaDbDatabase, createPostgresDatabase, describeWithServer, redisWithPrefix } from '../servers.js'
import { AppProcess, type AppOptions } from './app-process.js'
import { createSqliteFile, startShopify, TokenDatabase } from './token-database.js'

jest.setTimeout(120_000)

const PROCESSES = 4
const REQUESTS = 100
const ROUNDS = 20
const LEASE_MS = 15_000

interface Round {
  readonly tokenCalls: number
  readonly failures: readonly string[]
  /** How often a process overtook another's attempt because its lease was over. */
  readonly leasesExpired: number
}

/** All processes get their requests for one expired shop at once, and share one renewal. */
async function runRound(shop: Shop, shopify: FakeShopify, apps: readonly AppProcess[], held: boolean): Promise<Round> {
  const hold = held ? shopify.hold('token', { shop }) : null
  const requests = apps.map((app) => app.requests(shop, REQUESTS))
  if (hold !== null) {
    await hold.arrived()
    // Either the others wait for the first one's renewal, as they should, or a second one calls Shopify.
    await Promise.race([hold.arrived(2), allButOneWaiting(shop, apps)])
    hold.release()
  }
  const failures = (await Promise.all(requests)).flat()
  const overtaken = apps.flatMap((app) =>
    app.eventsOf('grant.inDoubt').filter((event) => event.shop === shop && event.ageMs >= LEASE_MS),
  )
  const { adminCallsByStatus, tokenCalls } = shopify.counters(shop)
  expect(adminCallsByStatus).toEqual({ 200: PROCESSES * REQUESTS - failures.length })
  return { tokenCalls, failures, leasesExpired: overtaken.length }
}

async function allButOneWaiting(shop: Shop, apps: readonly AppProcess[]): Promise<void> {
  const isWaiting = (app: AppProcess): boolean => app.waiting.has(shop)
  const enough = (): boolean => apps.filter(isWaiting).length >= PROCESSES - 1
  await Promise.race(apps.map((app) => app.until(enough)))
}

interface Backend {
  readonly name: string
  readonly open: () => Promise<{ readonly url: string; drop(): Promise<void> }>
  readonly redis?: AppOptions['redis']
}

function fourProcessesShareOneRenewal({ name, open, redis }: Backend): void {
  it(`call Shopify once for each of ${ROUNDS} expired shops, and fail none of 400 requests at once`, async () => {
    const file = await open()
    const shopify = await startShopify({ grace: 'none' })
    const database = await TokenDatabase.open(file.url)
    const shops = Array.from({ length: ROUNDS }, (_, round) => parseShop(`round-${round}.myshopify.com`))
    const apps: AppProcess[] = []
    try {
      for (const shop of shops) await database.seed(shopify, shop, { ageMs: 7_200_000 })
      const options = {
        shopifyUrl: shopify.url,
        environment: database.environment,
        redis,
        durations: { leaseMs: LEASE_MS },
      }
      apps.push(...(await Promise.all(Array.from({ length: PROCESSES }, () => AppProcess.start(options)))))

      const rounds: Round[] = []
      // In every tenth round Shopify answers only when the other processes wait, in the rest as fast as it can.
      for (const [n, shop] of shops.entries()) rounds.push(await runRound(shop, shopify, apps, n % 10 === 0))

      process.stdout.write(`${name}: ${tableRow(rounds)}\n`)
      const undisturbed = rounds.filter(({ leasesExpired }) => leasesExpired === 0)
      expect(undisturbed.map(({ tokenCalls, failures }) => ({ tokenCalls, failures }))).toEqual(
        undisturbed.map(() => ({ tokenCalls: 1, failures: [] })),
      )
      expect(undisturbed).not.toEqual([])
    } finally {
      await Promise.all(apps.map((app) => app.kill()))
      await database.close()
      await shopify.close()
      await file.drop()
    }
  })
}

function tableRow(rounds: readonly Round[]): string {
  const sum = (count: (round: Round) => number): number => rounds.reduce((total, round) => total + count(round), 0)
  const requests = rounds.length * PROCESSES * REQUESTS
  const failures = sum((round) => round.failures.length)
  return (
    `${rounds.length} rounds, ${requests} requests, ${sum((round) => round.tokenCalls)} token calls, ` +
    `${failures} failures, ${sum((round) => round.leasesExpired)} leases expired`
  )
}

describeWithServer('PostgreSQL', 'four processes on one PostgreSQL', () => {
  fourProcessesShareOneRenewal({ name: 'PostgreSQL', open: createPostgresDatabase })
})

describeWithServer('MariaDB', 'four processes on one MariaDB', () => {
  fourProcessesShareOneRenewal({ name: 'MariaDB', open: createMariaDbDatabase })
})

describe('four processes on one SQLite file', () => {
  fourProcessesShareOneRenewal({ name: 'SQLite', open: createSqliteFile })
})

describeWithServer('PostgreSQL', 'four processes on one PostgreSQL', () => {
  describeWithServer('Redis', 'with a lock on one Redis', () => {
    fourProcessesShareOneRenewal({ name: 'PostgreSQL + Redis', open: createPostgresDatabase, redis: redisWithPrefix() })
  })
})
