import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fingerprint, parseShop, readEnvironment, sealedStore } from '@shopify-tokens/core'
import { aRecord, FakeShopify } from '@shopify-tokens/testing'
import { migrateTokenDatabase, openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import { createMariaDbDatabase, createPostgresDatabase, describeWithServer } from '../servers.js'

const CLIENT_SECRET = 'races-client-secret'
const CALLERS = 50
const shop = parseShop('race.myshopify.com')

type Message =
  | { readonly type: 'ready' }
  | { readonly type: 'waiting' }
  | { readonly type: 'done'; readonly failures: readonly string[]; readonly puts: number }

/** A child process over the built packages. */
class Worker {
  readonly #child: ChildProcess
  readonly #messages: Message[] = []

  constructor(shopifyUrl: string, environment: Record<string, string>) {
    const argument = JSON.stringify({ shopifyUrl, environment, callers: CALLERS, shop })
    this.#child = fork(join(__dirname, 'worker.mjs'), [argument], { execArgv: [] })
    this.#child.on('message', (message: Message) => this.#messages.push(message))
  }

  send(message: 'race' | 'leave'): void {
    this.#child.send(message)
  }

  async message<Type extends Message['type']>(type: Type): Promise<Extract<Message, { type: Type }>> {
    for (;;) {
      const found = this.#messages.find((message): message is Extract<Message, { type: Type }> => message.type === type)
      if (found !== undefined) return found
      if (this.#child.exitCode !== null) throw new Error(`The worker ended before it was ${type}.`)
      await Promise.race([once(this.#child, 'message'), once(this.#child, 'exit')])
    }
  }

  async leave(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    if (this.#child.connected) this.send('leave')
    await exited
  }
}

function twoProcessesShareOneRenewal(open: () => Promise<{ url: string; drop(): Promise<void> }>): void {
  it('call Shopify once for an expired shop, and fail no request', async () => {
    const database = await open()
    const shopify = await FakeShopify.start({ clientId: 'races', clientSecret: CLIENT_SECRET, grace: 'none' })
    const environment = {
      SHOPIFY_API_KEY: 'races',
      SHOPIFY_API_SECRET: CLIENT_SECRET,
      SHOPIFY_TOKENS_DATABASE_URL: database.url,
      SHOPIFY_TOKENS_SEALING_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
    }
    const workers: Worker[] = []
    try {
      await seedExpiredPair(shopify, environment)
      workers.push(new Worker(shopify.url, environment), new Worker(shopify.url, environment))
      await Promise.all(workers.map((worker) => worker.message('ready')))

      const hold = shopify.hold('token')
      for (const worker of workers) worker.send('race')
      await hold.arrived()
      // Either one of them waits for the other's renewal, as it should, or both call Shopify.
      await Promise.race([hold.arrived(2), ...workers.map((worker) => worker.message('waiting'))])
      hold.release()
      const done = await Promise.all(workers.map((worker) => worker.message('done')))

      expect(done.flatMap(({ failures }) => failures)).toEqual([])
      expect(shopify.counters(shop).tokenCalls).toBe(1)
      expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 2 * CALLERS })
      expect(done.reduce((sum, { puts }) => sum + puts, 0)).toBeLessThanOrEqual(3)
    } finally {
      await Promise.all(workers.map((worker) => worker.leave()))
      await shopify.close()
      await database.drop()
    }
  }, 30_000)
}

async function seedExpiredPair(shopify: FakeShopify, environment: Record<string, string>): Promise<void> {
  const configuration = readEnvironment(environment)
  if (configuration.database.kind === 'server') await migrateTokenDatabase({ url: configuration.database.url.reveal() })
  const opened = openTokenStore({ configuration, announce: () => undefined })
  const pair = shopify.mintPair(shop, { ageMs: 7_200_000 })
  const { accessToken, refreshToken, issuedAt: obtainedAt, accessTokenExpiresAt: expiresAt } = pair
  const record = aRecord.expiring({
    ...{ accessToken, refreshToken, obtainedAt, expiresAt, secretId: fingerprint(CLIENT_SECRET) },
  })
  await sealedStore(opened.store, opened.keyRing).put({ clientId: 'races', shop }, record, 'absent')
  await opened.close()
}

describeWithServer('PostgreSQL', 'two processes on one PostgreSQL', () => {
  twoProcessesShareOneRenewal(createPostgresDatabase)
})

describeWithServer('MariaDB', 'two processes on one MariaDB', () => {
  twoProcessesShareOneRenewal(createMariaDbDatabase)
})

describe('two processes on one SQLite file', () => {
  twoProcessesShareOneRenewal(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-race-'))
    return { url: `sqlite:${join(folder, 'tokens.sqlite')}`, drop: () => rm(folder, { recursive: true }) }
  })
})
