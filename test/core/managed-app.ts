import {
  createTokenManager,
  type ExpiringRecord,
  fingerprint,
  MemoryTokenStore,
  parseShop,
  type Shop,
  type TokenEvent,
  type TokenEventType,
  type TokenManager,
  type TokenManagerOptions,
  type TokenRecord,
  type TokenStore,
} from '@shopify-tokens/core'
import { aRecord, FakeClock, FakeShopify, type FakeShopifyOptions, FaultyStore } from '@shopify-tokens/testing'

export const CLIENT_ID = 'test-client-id'
export const CLIENT_SECRET = 'test-client-secret'
export const HOUR_MS = 3_600_000
export const shop = parseShop('acme.myshopify.com')

/** As many different shops as asked for. */
export function someShops(count: number, name = 'shop'): Shop[] {
  return Array.from({ length: count }, (_, n) => parseShop(`${name}-${String(n)}.myshopify.com`))
}

export interface ManagedApp {
  readonly clock: FakeClock
  readonly shopify: FakeShopify
  readonly store: FaultyStore
  readonly tokens: TokenManager
  readonly events: TokenEvent[]
  /** Another process over the same store and Shopify: nothing but these is shared. */
  anotherProcess(options?: Partial<TokenManagerOptions>): TokenManager
  /** Mints a pair at Shopify and puts it into the store, as an earlier run would have left it. */
  seed(given?: Partial<ExpiringRecord> & { readonly ageMs?: number; readonly shop?: Shop }): Promise<ExpiringRecord>
  /** Puts any record, replacing what is there. */
  put(record: TokenRecord, at?: Shop): Promise<void>
  record(at?: Shop): Promise<TokenRecord | null>
  eventsOf<Type extends TokenEventType>(type: Type): Extract<TokenEvent, { type: Type }>[]
  tokenCalls(): number
}

const running: FakeShopify[] = []

/** Ends every fake Shopify that a test has started. */
export async function closeAll(): Promise<void> {
  jest.restoreAllMocks()
  await Promise.all(running.splice(0).map((shopify) => shopify.close()))
}

/** Web Crypto works on other threads, which an automatic clock cannot see: time must stand still meanwhile. */
function standStillDuringCryptography(clock: FakeClock): void {
  const { subtle } = globalThis.crypto
  for (const method of ['importKey', 'verify', 'encrypt', 'decrypt'] as const) {
    const original = subtle[method].bind(subtle) as (...args: unknown[]) => Promise<unknown>
    jest.spyOn(subtle, method).mockImplementation(clock.watch(original) as never)
  }
}

/** A manager over a memory store, against a real HTTP server that plays Shopify, on a clock that never really waits. */
export async function managedApp(
  options: Partial<TokenManagerOptions> & {
    readonly shopifyOptions?: Partial<FakeShopifyOptions>
    /** Let time pass while a request is under way, so that time-outs can strike. */
    readonly timeoutsStrike?: boolean
    /** Where the rows are, on this clock. Default: in memory. */
    readonly rowsIn?: (clock: FakeClock) => TokenStore
  } = {},
): Promise<ManagedApp> {
  const { shopifyOptions, timeoutsStrike = false, rowsIn, ...managerOptions } = options
  const clock = new FakeClock({ autoAdvance: true })
  standStillDuringCryptography(clock)
  const shopify = await FakeShopify.start({
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    clock,
    ...shopifyOptions,
  })
  running.push(shopify)
  const store = new FaultyStore(rowsIn?.(clock) ?? new MemoryTokenStore({ clock }), { clock })
  const events: TokenEvent[] = []
  const anotherProcess = (changed: Partial<TokenManagerOptions> = {}): TokenManager =>
    createTokenManager({
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      store,
      sealing: 'unsealed-tokens-readable-in-store',
      clock,
      fetch: timeoutsStrike ? shopify.fetch : clock.watch((input, init) => shopify.fetch(input, init)),
      random: () => 0.5,
      apiVersion: '2026-10',
      // Room for that many shops is set aside at once, in several lists: too much for the managers of thousands of tests.
      cacheSize: 1_000,
      onEvent: (event) => events.push(event),
      ...managerOptions,
      ...changed,
    })
  const keyOf = (at: Shop): { clientId: string; shop: Shop } => ({ clientId: CLIENT_ID, shop: at })
  const put = async (record: TokenRecord, at: Shop = shop): Promise<void> => {
    const { version } = await store.get(keyOf(at))
    await store.put(keyOf(at), record, version)
    store.resetCounts()
  }
  return {
    ...{ clock, shopify, store, events, anotherProcess, put },
    tokens: anotherProcess(),
    async seed({ ageMs = 0, shop: at = shop, ...given } = {}) {
      const pair = shopify.mintPair(at, { ageMs })
      const record = aRecord.expiring({
        accessToken: pair.accessToken,
        refreshToken: pair.refreshToken,
        scopes: [...pair.scopes],
        obtainedAt: pair.issuedAt,
        confirmedAt: pair.issuedAt,
        expiresAt: pair.accessTokenExpiresAt,
        renewAt: pair.accessTokenExpiresAt - 300_000,
        refreshTokenExpiresAt: pair.refreshTokenExpiresAt,
        secretId: fingerprint(CLIENT_SECRET),
        ...given,
      })
      await put(record, at)
      return record
    },
    record: async (at: Shop = shop) => (await store.get(keyOf(at))).record,
    eventsOf: <Type extends TokenEventType>(type: Type) =>
      events.filter((event): event is Extract<TokenEvent, { type: Type }> => event.type === type),
    tokenCalls: () => shopify.counters(shop).tokenCalls,
  }
}
