import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fingerprint, parseShop, type Shop, type TokenManager } from '@shopify-tokens/core'
import { FakeShopify } from '@shopify-tokens/testing'
import { openTokenManager, openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import { MarkdownDocument } from './markdown.js'
import { runBlock } from './run-block.js'

// The scripts that an operator copies from the documents, run as they stand there.

jest.setTimeout(60_000)

const CLIENT = { clientId: 'scripts-app', clientSecret: 'scripts-secret' }
const SHOPS = ['one.myshopify.com', 'two.myshopify.com'].map(parseShop)
const before = { env: { ...process.env }, fetch: globalThis.fetch }

let shopify: FakeShopify
let folder: string
let printed: jest.SpyInstance

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-scripts-'))
  shopify = await FakeShopify.start(CLIENT)
  globalThis.fetch = shopify.fetch
  Object.assign(process.env, {
    SHOPIFY_API_KEY: CLIENT.clientId,
    SHOPIFY_API_SECRET: CLIENT.clientSecret,
    SHOPIFY_TOKENS_DATABASE_URL: `sqlite:${join(folder, 'tokens.sqlite')}`,
    SHOPIFY_TOKENS_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    SHOPIFY_TOKENS_DEPLOYMENT: 'production',
  })
  jest.spyOn(process.stderr, 'write').mockReturnValue(true)
  jest.spyOn(console, 'error').mockReturnValue()
  printed = jest.spyOn(console, 'log').mockReturnValue()
  for (const shop of SHOPS) shopify.installShop(shop)
  await asProcess(async (tokens) => {
    for (const shop of SHOPS) await tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })
  })
})
afterEach(async () => {
  process.env = { ...before.env }
  globalThis.fetch = before.fetch
  jest.restoreAllMocks()
  await shopify.close()
  rmSync(folder, { recursive: true, force: true })
})

async function asProcess(work: (tokens: TokenManager) => Promise<void>): Promise<void> {
  const { tokens, close } = openTokenManager()
  await work(tokens)
  await close()
}

/** Runs the one script that stands under a heading. */
async function runScript(path: string, heading: string): Promise<void> {
  const document = new MarkdownDocument(path)
  const section = document.section(heading)
  const [script, ...others] = document.blocks.filter(
    ({ language, code }) => language === 'ts' && section.includes(code) && code.includes('openTokenManager()'),
  )
  if (script === undefined || others.length > 0) throw new Error(`${path}: expected one script under "${heading}"`)
  await runBlock(script.code)
}

it('the script that adopts a deployment does so once', async () => {
  const adopt = (): Promise<void> => runScript('docs/operations.md', 'A copied database, or staging')
  const [shop] = SHOPS as [(typeof SHOPS)[number]]
  process.env.SHOPIFY_TOKENS_DEPLOYMENT = 'elsewhere'
  await asProcess(async (tokens) => {
    await expect(tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_FOREIGN_DEPLOYMENT' })
  })

  await adopt()
  await adopt()

  expect(printed.mock.calls).toEqual([['adopted'], ['was ours already']])
  await asProcess(async (tokens) => {
    await tokens.force(shop)
  })
})

it('the script that tries every marked shop clears those that live, and names those that do not', async () => {
  const [living, dead] = SHOPS as [(typeof SHOPS)[number], (typeof SHOPS)[number]]
  const refusals = SHOPS.map((shop) => shopify.faults.next(shop, { kind: 'terminal' }, { times: Infinity }))
  await asProcess(async (tokens) => {
    for (const shop of SHOPS) await expect(tokens.force(shop)).rejects.toThrow()
  })
  refusals[0]?.cancel()

  await runScript('docs/operations.md', 'Try every marked shop now')

  expect(shopify.counters(living).tokenCallsByGrant.refresh.granted).toBe(1)
  const told = jest.mocked(console.error).mock.calls
  expect(told).toEqual([[dead, expect.objectContaining({ code: 'ERR_REAUTHORIZATION_REQUIRED' })]])
})

describe('the script that sweeps', () => {
  const DAY_MS = 86_400_000
  const sweep = (): Promise<void> => runScript('docs/operations.md', 'Sweep by cron')

  /** As if nobody had visited the shop for `days`. */
  async function neglect(shop: Shop, days: number): Promise<void> {
    const { store, close } = openTokenStore()
    const { record, version } = await store.get({ clientId: CLIENT.clientId, shop })
    if (record?.kind !== 'expiring') throw new Error(`${shop} has no pair`)
    const obtainedAt = Date.now() - days * DAY_MS
    const ends = { expiresAt: obtainedAt + 3_600_000, refreshTokenExpiresAt: obtainedAt + 90 * DAY_MS }
    await store.put(
      { clientId: CLIENT.clientId, shop },
      { ...record, obtainedAt, ...ends, sweepAt: obtainedAt + 20 * DAY_MS },
      version,
    )
    await close()
  }

  it('renews idle shops and no others, names those that fail, and those that are at risk', async () => {
    const [idle, failing] = SHOPS as [Shop, Shop]
    await neglect(idle, 21)
    await neglect(failing, 80)
    shopify.faults.next(failing, { kind: 'status', status: 402 }, { times: Infinity })

    await sweep()

    expect(printed.mock.calls).toEqual([[{ visited: 2, renewed: 1, failed: 1 }]])
    expect(shopify.counters(idle).tokenCallsByGrant.refresh.granted).toBe(1)
    const told = jest.mocked(console.error).mock.calls.map(([shop, what]: unknown[]) => [shop, what])
    expect(told).toEqual([
      [failing, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
      [failing, 'at risk until'],
    ])
  })

  it('fails where the database is another deployment’s', async () => {
    const [idle] = SHOPS as [Shop]
    await neglect(idle, 21)
    process.env.SHOPIFY_TOKENS_DEPLOYMENT = 'elsewhere'

    await expect(sweep()).rejects.toMatchObject({ code: 'ERR_FOREIGN_DEPLOYMENT' })
  })
})

it('the script that refreshes every shop does so with one call for each', async () => {
  await runScript('SECURITY.md', 'Sealing keys')

  for (const shop of SHOPS) expect(shopify.counters(shop).tokenCallsByGrant.refresh.granted).toBe(1)
})

describe('a rotation of the client secret', () => {
  const path = 'docs/secret-rotation.md'
  const NEW_SECRET = 'scripts-secret-of-next-year'
  const repin = (): Promise<void> => runScript(path, '4. Renew every shop with the new secret')
  const configure = (current: string, previous?: string): void => {
    process.env.SHOPIFY_API_SECRET = current
    process.env.SHOPIFY_API_SECRET_PREVIOUS = previous ?? ''
  }
  const told = (secret: string, repinned: number, failed: number): unknown[] => [
    { secretId: fingerprint(secret), repinned, already: 0, failed },
  ]
  /** What a merchant's page asks of the app. */
  const visit = (shop: Shop): Promise<void> =>
    asProcess(async (tokens) => {
      const merchant = tokens.forShop(shop, { idToken: shopify.sessionToken(shop) })
      expect(await merchant.graphql('{ shop { name } }')).toHaveProperty('data')
    })

  beforeEach(() => {
    process.env.SHOPIFY_API_VERSION = '2026-10'
    shopify.addClientSecret(NEW_SECRET)
    configure(NEW_SECRET, CLIENT.clientSecret)
  })

  it('loses no shop when the old one is revoked after the script', async () => {
    await repin()
    shopify.revokeClientSecret(CLIENT.clientSecret)
    configure(NEW_SECRET)

    expect(printed.mock.calls).toEqual([told(NEW_SECRET, 2, 0)])
    shopify.resetCounters()
    for (const shop of SHOPS) await visit(shop)
    expect(shopify.counters().tokenCalls).toBe(0)
  })

  it('can be undone until then, by the same script', async () => {
    await repin()
    configure(CLIENT.clientSecret, NEW_SECRET)
    await repin()
    shopify.revokeClientSecret(NEW_SECRET)
    configure(CLIENT.clientSecret)

    expect(printed.mock.calls).toEqual([told(NEW_SECRET, 2, 0), told(CLIENT.clientSecret, 2, 0)])
    shopify.resetCounters()
    for (const shop of SHOPS) await visit(shop)
    expect(shopify.counters().tokenCalls).toBe(0)
  })

  it('leaves a shop to its merchant whose tokens died with the old one, once it has been given up', async () => {
    const [left, moved] = SHOPS as [Shop, Shop]
    await asProcess(async (tokens) => {
      await tokens.force(moved)
    })
    shopify.revokeClientSecret(CLIENT.clientSecret)
    configure(NEW_SECRET)
    await asProcess((tokens) => expect(tokens.force(left)).rejects.toMatchObject({ code: 'ERR_SECRET_OUTDATED' }))

    await runScript(path, 'Give up what is left')

    expect(printed.mock.calls).toEqual([[left, true]])
    for (const shop of SHOPS) await visit(shop)
  })
})
