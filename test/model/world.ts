import {
  type AccessToken,
  candidates,
  fingerprint,
  MemoryTokenStore,
  parseShop,
  sealedStore,
  type Shop,
  type Snapshot,
  staticKeyRing,
  type TokenManager,
  type TokenRecord,
  type TokenStore,
} from '@shopify-tokens/core'
import { aRecord, FakeClock, FakeShopify, type Grace, type Replay } from '@shopify-tokens/testing'
import { seeded } from '../seeded.js'
import type { Action } from './actions.js'
import { Network } from './network.js'
import { Outside } from './outside.js'
import { ReferenceShop } from './reference.js'
import { CLIENT_ID, CLIENT_SECRET, type Machine, type Surroundings, Worker } from './worker.js'

/** What a script plays under. */
export interface Circumstances {
  readonly replay: Replay
  readonly grace: Grace
  /** Decides latencies and jitter. */
  readonly seed: number
}

export const SHOPS = ['acme', 'bolt'] as const
export type ShopName = (typeof SHOPS)[number]

const MINUTE_MS = 60_000
export const GRACE_MS: Readonly<Record<Grace, number>> = {
  none: 0,
  '60-minutes': 60 * MINUTE_MS,
  'until-used': 30 * 24 * 60 * MINUTE_MS,
}
/** Nobody waits for longer, whatever happens. */
const PATIENCE_MS = 10 * MINUTE_MS

export interface Row {
  readonly record: TokenRecord | null
  /** Whether Shopify would accept a refresh token of the row, or exchange its non-expiring token. */
  readonly lives: boolean
  /** Whether it would accept the first of them. */
  readonly leads: boolean
}

/** Three processes over one store, and a Shopify; what a script does to them, and what can be seen of it. */
export class World {
  readonly workers: Worker[] = []
  readonly network: Network
  /** Deaths, uninstallations, removals. */
  upheavals = 0
  /** What went wrong at moments when nobody was looking. */
  readonly wrong: string[] = []
  /** When a row was last written with something that is not a renewal, monotonic. */
  readonly turnedAt = new Map<Shop, number>()
  /** Shops that an operator has removed, living or not. */
  readonly #orderedToGo = new Set<Shop>()
  readonly #references = new Map<string, ReferenceShop>()
  readonly #opened: TokenStore
  readonly #seen = new Map<Shop, Snapshot>()
  readonly #outside: Outside
  readonly #surroundings: Surroundings
  readonly #restoreCryptography: () => void

  static async start(circumstances: Circumstances): Promise<World> {
    const clock = new FakeClock({ autoAdvance: true })
    const shopify = await FakeShopify.start({
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      ...{ clock, replay: circumstances.replay, grace: circumstances.grace, logLimit: 10 },
    })
    return new World(circumstances, shopify, clock)
  }

  private constructor(
    { grace, seed }: Circumstances,
    readonly shopify: FakeShopify,
    readonly clock: FakeClock,
  ) {
    this.#outside = new Outside(clock)
    this.#restoreCryptography = this.#outside.orderCryptography()
    for (const name of SHOPS) this.#references.set(hostOf(name), new ReferenceShop(GRACE_MS[grace]))
    this.network = new Network(shopify, this.#outside, clock, (host) => this.reference(host))
    const rows = new MemoryTokenStore({ clock })
    const keyRing = staticKeyRing([{ id: 'model', bytes: new Uint8Array(32).fill(7) }])
    this.#opened = sealedStore(rows, keyRing)
    const onWritten = this.#onWritten.bind(this)
    this.#surroundings = { clock, network: this.network, rows, keyRing, random: seeded(seed), onWritten }
    for (const name of ['p0', 'p1', 'p2']) this.workers.push(this.newWorker({ name, skewMs: 0 }))
  }

  async end(): Promise<void> {
    this.#restoreCryptography()
    await this.shopify.close()
  }

  newWorker(machine: Machine): Worker {
    return new Worker(machine, this.#surroundings)
  }

  reference(host: string): ReferenceShop {
    return this.#references.get(host)!
  }

  async row(shop: Shop): Promise<Row> {
    const key = { clientId: CLIENT_ID, shop }
    const { version } = await this.#surroundings.rows.get(key)
    // Most looks find what the last one found, and opening costs time.
    if (this.#seen.get(shop)?.version !== version) this.#seen.set(shop, await this.#opened.get(key))
    const { record } = this.#seen.get(shop)!
    const tokens = record?.kind === 'non-expiring' ? [record.accessToken] : candidates(record)
    return {
      record,
      lives: this.shopify.hasLiveCredential(shop, tokens),
      leads: this.shopify.hasLiveCredential(shop, tokens.slice(0, 1)),
    }
  }

  /** Something that a merchant, an operator or the app does. Resolves with how it went. */
  async act(action: Action): Promise<Outcome> {
    if (action.afterMs > 0) await this.clock.sleep(action.afterMs)
    const worker = this.workers[action.worker]!
    const host = hostOf(action.shop)
    const startedAt = this.clock.monotonic()
    const wasMisled = worker.misled
    const attempt = this.#perform(action, worker, host).then(
      (token) => ({ token }),
      (error: unknown) => ({ error }),
    )
    const patience = new AbortController()
    const result = await Promise.race([
      attempt,
      worker.death.then(() => ({ died: true })),
      this.clock.sleep(PATIENCE_MS, patience.signal).then(
        () => ({ error: new Error('no answer for ten minutes') }),
        () => ({}),
      ),
    ])
    patience.abort()
    const { token, error } = { token: undefined, error: undefined, ...result }
    const state = token === undefined ? undefined : this.shopify.accessTokenState(host, token.value)
    return { action, worker, shop: host, wasMisled, token, state, error, tookMs: this.clock.monotonic() - startedAt }
  }

  /** What a request does with the token that it gets: where a migration has ended it, Shopify says so. */
  async use(manager: TokenManager, shop: Shop, idToken?: string): Promise<AccessToken> {
    const token = await manager.token(shop, { idToken })
    const isRefused = this.shopify.accessTokenState(shop, token.value) === 'revoked'
    return isRefused && token.value === this.reference(shop).restored
      ? manager.token(shop, { rejected: token.value, idToken })
      : token
  }

  async #restore(shop: Shop): Promise<void> {
    this.upheavals++
    const key = { clientId: CLIENT_ID, shop }
    const accessToken = this.shopify.mintNonExpiring(shop)
    this.reference(shop).restored = accessToken
    const record = aRecord.nonExpiring({ accessToken, secretId: fingerprint(CLIENT_SECRET) })
    const { version } = await this.#surroundings.rows.get(key)
    const result = await this.#opened.put(key, record, version)
    // Uninstalled meanwhile, it is nothing to restore.
    if (result.outcome === 'conflict' || !this.shopify.hasLiveCredential(shop, [accessToken])) return
    this.reference(shop).restore(this.clock.now())
    this.turnedAt.set(shop, this.clock.monotonic())
  }

  async #perform(action: Action, worker: Worker, shop: Shop): Promise<AccessToken | undefined> {
    const { manager } = worker
    const reference = this.reference(shop)
    switch (action.kind) {
      case 'request':
        return this.use(manager, shop)
      case 'visit':
        return this.use(manager, shop, this.shopify.sessionToken(shop))
      case 'acquire':
        return manager.acquire(shop, { idToken: this.shopify.sessionToken(shop) })
      case 'force':
        return manager.force(shop)
      case 'migrate':
        return manager.migrate(shop)
      case 'sweep':
        await manager.sweep()
        return undefined
      case 'restore':
        if (reference.installed) await this.#restore(shop)
        return undefined
      case 'install':
        if (!reference.installed) this.upheavals++
        reference.install()
        this.shopify.installShop(shop)
        return undefined
      case 'uninstall':
        this.upheavals++
        this.shopify.uninstall(shop)
        reference.uninstall(this.clock.now())
        return undefined
      case 'webhook':
        if (reference.uninstalledAt === null) return undefined
        this.upheavals++
        await manager.removeIfUninstalled(shop, { at: reference.uninstalledAt })
        return undefined
      case 'remove':
        this.upheavals++
        this.#orderedToGo.add(shop)
        await manager.remove(shop)
        return undefined
    }
  }

  /** Waits until every process has nothing left to do, and replaces those that died. */
  async quiesce(): Promise<void> {
    const until = this.clock.monotonic() + PATIENCE_MS
    for (;;) {
      await this.clock.settle()
      if (this.clock.sleepers === 0 && !this.#outside.isBusy) break
      if (this.clock.monotonic() > until) throw new Error('a process is still busy after ten minutes')
    }
    for (const [index, worker] of this.workers.entries()) {
      for (const [granted, host] of worker.pending) {
        const reference = this.reference(host)
        if (worker.isDead()) reference.lose(granted)
        // Another process had stored the same pair, or a removal came first.
        else if (!reference.removed) reference.keep(granted)
      }
      worker.pending.clear()
      if (!worker.isDead()) continue
      this.upheavals++
      this.workers[index] = this.newWorker(worker.machine)
    }
  }

  /** Lets time pass; what is late arrives when it is due. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.monotonic() + ms
    while (this.clock.monotonic() < until) {
      await this.clock.sleep(Math.min(until, this.network.nextLateAt) - this.clock.monotonic())
      await this.network.deliver()
    }
  }

  #onWritten(worker: Worker, shop: Shop, before: TokenRecord | null, record: TokenRecord): void {
    const reference = this.reference(shop)
    if (record.kind === 'removed') {
      if (before?.kind !== 'removed') this.turnedAt.set(shop, this.clock.monotonic())
      const mustLive = reference.merchantNeeded(this.clock.now()) === null
      if (mustLive && !this.#orderedToGo.has(shop)) this.wrong.push('a shop that lives was taken for uninstalled')
      reference.remove()
      return
    }
    const brought = [...worker.pending].filter(([, host]) => host === shop).map(([granted]) => granted)
    const acquired = brought.some(({ acquisition }) => acquisition)
    if (before?.kind === 'removed' && !acquired) this.wrong.push('a tombstone was written over without an acquisition')
    if (acquired) this.turnedAt.set(shop, this.clock.monotonic())
    for (const granted of brought) {
      worker.pending.delete(granted)
      reference.keep(granted)
    }
  }
}

/** How an action went. */
export interface Outcome {
  readonly action: Action
  readonly worker: Worker
  readonly shop: Shop
  /** Its clock was wrong, and it could not know. */
  readonly wasMisled: boolean
  /** Neither token nor error: the process died, or there is nothing to bring. */
  readonly token: AccessToken | undefined
  /** What Shopify thinks of the token at the moment at which it was served. */
  readonly state: 'live' | 'expired' | 'revoked' | 'unknown' | undefined
  readonly error: unknown
  readonly tookMs: number
}

export function hostOf(name: ShopName): Shop {
  return parseShop(`${name}.myshopify.com`)
}
