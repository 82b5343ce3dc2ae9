import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseShop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { createSqliteFile, startShopify, TokenDatabase } from '../races/token-database.js'
import { describeWithServer } from '../servers.js'
import { Bull } from './bull.js'

const shop = parseShop('acme.myshopify.com')
const HOUR_MS = 3_600_000

describeWithServer('Redis', 'a NestJS process that is asked to end in the middle of a job', () => {
  let bull: Bull
  let file: Awaited<ReturnType<typeof createSqliteFile>>
  let rows: TokenDatabase
  let shopify: FakeShopify
  let child: ChildProcess | undefined

  beforeEach(async () => {
    bull = new Bull()
    file = await createSqliteFile()
    rows = await TokenDatabase.open(file.url)
    shopify = await startShopify()
  })

  afterEach(async () => {
    child?.kill('SIGKILL')
    await bull.close()
    await shopify.close()
    await rows.close()
    await file.drop()
  })

  it('lets the job, and the renewal that it waits for, come to their end first', async () => {
    await rows.seed(shopify, shop, { ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token')
    const { host, port } = bull.connection.options
    const options = { connection: { host, port }, prefix: bull.prefix, queueName: 'jobs', shopifyUrl: shopify.url }
    child = spawn(process.execPath, [join(__dirname, 'nest-worker.mjs'), JSON.stringify(options)], {
      env: { ...process.env, ...rows.environment },
      stdio: 'inherit',
    })
    const ended = once(child, 'exit')
    const job = await bull.queue().add('name', { shop })
    await hold.arrived()

    child.kill('SIGTERM')
    await delay(200)
    expect([child.exitCode, child.signalCode]).toEqual([null, null])
    hold.release()
    await ended

    expect(await job.getState()).toBe('completed')
    expect((await bull.queue().getJob(job.id!))?.returnvalue).toMatchObject({
      data: { shop: { myshopifyDomain: shop } },
    })
    const { accessToken } = await rows.pair(shop)
    expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  }, 60_000)
})
