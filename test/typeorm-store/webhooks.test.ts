import {
  type Clock,
  type DeliveryLog,
  type HttpReply,
  parseShop,
  type TokenManager,
  type TokenStore,
  type WebhookOptions,
  WebhookReceiver,
} from '@shopify-tokens/core'
import type { FakeClock, FakeWebhookOptions } from '@shopify-tokens/testing'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { CLIENT_ID, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from '../core/managed-app.js'
import { received, requestOf } from '../core/received.js'
import { type Backend, postgresBackend, sqliteBackend } from '../suites/typeorm-store/backends.js'
import { describeWithServer } from '../servers.js'

afterEach(closeAll)

const MINUTE_MS = 60_000
const OTHER = parseShop('other.myshopify.com')

type RowsIn = (clock: FakeClock) => TokenStore

/** A database answers from outside this process: an automatic clock must stand still meanwhile. */
function watched(store: TokenStore & { readonly deliveries: DeliveryLog }, clock: FakeClock): TokenStore {
  const { deliveries } = store
  return {
    get: clock.watch((key) => store.get(key)),
    put: clock.watch((key, record, expected) => store.put(key, record, expected)),
    scan: (query) => store.scan(query),
    ask: clock.watch((key) => store.ask(key)),
    deliveries: {
      begin: clock.watch((delivery, leaseMs) => deliveries.begin(delivery, leaseMs)),
      finish: clock.watch((delivery, claim) => deliveries.finish(delivery, claim)),
      release: clock.watch((delivery, claim) => deliveries.release(delivery, claim)),
    },
  }
}

/** The clock of a machine that is wrong. */
function wrongBy(offsetMs: number, clock: Clock): Clock {
  return {
    now: () => clock.now() + offsetMs,
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  }
}

function everything(rowsIn: () => RowsIn | undefined): void {
  let app: ManagedApp
  beforeEach(async () => {
    const rows = rowsIn()
    app = await managedApp(rows === undefined ? {} : { rowsIn: rows })
    for (const at of [shop, OTHER]) {
      // Rows outlive a test.
      const key = { clientId: CLIENT_ID, shop: at }
      const { version } = await app.store.get(key)
      if (version !== 'absent')
        await app.put({ kind: 'removed', removedAt: 0, attempts: [], mark: null, coolDown: null, sweepAt: null }, at)
    }
  })

  const uninstalled = (
    options: FakeWebhookOptions = {},
    tokens: TokenManager = app.tokens,
    handlers: WebhookOptions['handlers'] = {},
  ): Promise<HttpReply> => received(tokens, app.shopify.webhook('app/uninstalled', shop, options), handlers)

  /** Installs the app again, by an authorization code. */
  const reinstall = async (tokens: TokenManager = app.tokens): Promise<void> => {
    await tokens.acquire(shop, { code: app.shopify.issueCode(shop) })
  }

  const livesOn = async (): Promise<boolean> => {
    const record = await app.record()
    return record?.kind === 'expiring' && app.shopify.hasLiveCredential(shop, [record.refreshToken])
  }

  describe('app/uninstalled', () => {
    it('removes the tokens, without a word to Shopify', async () => {
      await app.seed({ ageMs: HOUR_MS })
      app.shopify.uninstall(shop)

      expect((await uninstalled()).status).toBe(200)

      expect(await app.record()).toMatchObject({ kind: 'removed' })
      expect(app.eventsOf('shop.removed')).toHaveLength(1)
      expect(app.tokenCalls()).toBe(0)
    })

    it.each([-5, 0, 5])(
      'that comes late, after a reinstallation, removes nothing (clock %i minutes off)',
      async (minutes) => {
        const tokens = app.anotherProcess({ clock: wrongBy(minutes * MINUTE_MS, app.clock) })
        await app.seed({ ageMs: HOUR_MS })
        app.shopify.uninstall(shop)
        const triggeredAt = app.clock.now()
        await app.clock.advance(10 * MINUTE_MS)
        await reinstall(tokens)
        const calls = app.tokenCalls()

        expect((await uninstalled({ triggeredAt }, tokens)).status).toBe(200)

        expect(await livesOn()).toBe(true)
        expect(app.tokenCalls()).toBe(calls)
      },
    )

    it.each([-5, 0, 5])(
      'close to a reinstallation removes nothing, for Shopify is asked (clock %i minutes off)',
      async (minutes) => {
        const tokens = app.anotherProcess({ clock: wrongBy(minutes * MINUTE_MS, app.clock) })
        await app.seed({ ageMs: HOUR_MS })
        app.shopify.uninstall(shop)
        const triggeredAt = app.clock.now()
        await app.clock.advance(MINUTE_MS)
        await reinstall(tokens)
        const calls = app.tokenCalls()

        expect((await uninstalled({ triggeredAt }, tokens)).status).toBe(200)

        expect(await livesOn()).toBe(true)
        expect(app.tokenCalls()).toBe(calls + 1)
      },
    )

    it('that does not tell its instant removes nothing of an app that is installed', async () => {
      await app.seed({ ageMs: 10 * MINUTE_MS })

      expect((await uninstalled({ triggeredAt: null })).status).toBe(200)

      expect(await livesOn()).toBe(true)
    })

    it('that does not tell its instant removes what Shopify refuses', async () => {
      await app.seed({ ageMs: 10 * MINUTE_MS })
      app.shopify.uninstall(shop)

      expect((await uninstalled({ triggeredAt: null })).status).toBe(200)

      expect(await app.record()).toMatchObject({ kind: 'removed' })
    })

    it('with another shop in its headers removes nothing, neither there nor where its body says', async () => {
      await app.seed({ ageMs: HOUR_MS })
      await app.seed({ ageMs: HOUR_MS, shop: OTHER })
      const request = requestOf(app.shopify.webhook('app/uninstalled', OTHER), { 'x-shopify-shop-domain': shop })

      expect((await new WebhookReceiver(app.tokens).receive(request)).status).toBe(400)

      for (const at of [shop, OTHER]) expect(await app.record(at)).toMatchObject({ kind: 'expiring' })
    })

    it('during a renewal leaves no tokens behind', async () => {
      await app.seed({ ageMs: HOUR_MS })
      const answer = app.shopify.hold('token', { shop, at: 'answer' })
      const renewal = app.tokens.force(shop).catch((error: unknown) => error)
      await answer.arrived()
      app.shopify.uninstall(shop)

      expect((await uninstalled()).status).toBe(200)
      answer.release()
      await renewal

      expect(await app.record()).toMatchObject({ kind: 'removed' })
      await expect(app.tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
    })
  })

  describe('shop/redact', () => {
    it('removes nothing of a shop that has installed the app again since its uninstallation', async () => {
      await app.seed({ ageMs: HOUR_MS / 2 })

      expect((await received(app.tokens, app.shopify.webhook('shop/redact', shop))).status).toBe(200)

      expect(await livesOn()).toBe(true)
    })

    it('removes what an uninstallation of which nobody heard has left', async () => {
      await app.seed({ ageMs: HOUR_MS })
      app.shopify.uninstall(shop)

      expect((await received(app.tokens, app.shopify.webhook('shop/redact', shop))).status).toBe(200)

      expect(await app.record()).toMatchObject({ kind: 'removed' })
    })
  })

  describe('a delivery', () => {
    it('that two processes get at once is handled by one of them', async () => {
      await app.seed({ ageMs: HOUR_MS })
      const webhook = app.shopify.webhook('app/uninstalled', shop)
      const handler = jest.fn()
      const processes = [app.tokens, app.anotherProcess()]

      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, n) => received(processes[n % 2]!, webhook, { 'app/uninstalled': handler })),
      )

      expect(handler).toHaveBeenCalledTimes(1)
      for (const { status } of replies) expect([200, 503]).toContain(status)
      expect((await received(app.tokens, webhook, { 'app/uninstalled': handler })).status).toBe(200)
      expect(handler).toHaveBeenCalledTimes(1)
    })

    it('whose process has died is handled by the next', async () => {
      const webhook = app.shopify.webhook('orders/create', shop)
      const id = `webhook:${String(webhook.headers['x-shopify-webhook-id'])}`
      const handler = jest.fn()
      // Over at once: the backend's time does not pass as a test wants it to.
      await app.tokens.deliveries.begin({ clientId: CLIENT_ID, id }, 0)

      expect((await received(app.anotherProcess(), webhook, { 'orders/create': handler })).status).toBe(200)
      expect((await received(app.tokens, webhook, { 'orders/create': handler })).status).toBe(200)
      expect(handler).toHaveBeenCalledTimes(1)
    })
  })
}

function onDatabase(open: () => Promise<Backend>): () => void {
  return () => {
    let backend: Backend
    let store: (clock: FakeClock) => TypeOrmTokenStore
    beforeAll(async () => {
      backend = await open()
      const app = await backend.open()
      store = (clock) => new TypeOrmTokenStore(app, { clock })
    })
    afterAll(() => backend.close())
    everything(() => (clock) => watched(store(clock), clock))
  }
}

describe('in memory', () => {
  everything(() => undefined)
})
describe('on SQLite', onDatabase(sqliteBackend))
describeWithServer('PostgreSQL', 'on PostgreSQL', onDatabase(postgresBackend))
