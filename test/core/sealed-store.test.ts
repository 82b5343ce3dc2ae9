import {
  type Attempt,
  type ExpiringRecord,
  fingerprint,
  type KeyRing,
  MemoryTokenStore,
  parseShop,
  type RecordKey,
  type ScannedRow,
  type SealingKey,
  sealedStore,
  staticKeyRing,
  StoreUnavailableError,
  StoreUnreadableError,
  type TokenRecord,
  type TokenStore,
  type Version,
} from '@shopify-tokens/core'
import {
  aCoolDown,
  aKey,
  aMark,
  anAttempt,
  aRecord,
  FakeClock,
  fault,
  FaultyStore,
  tokenStoreContract,
} from '@shopify-tokens/testing'

// The contract's 50 callers, who race for one row, seal and open some hundred thousand values.
jest.setTimeout(60_000)

const keyOf = (id: string, fill: number): SealingKey => ({ id, bytes: new Uint8Array(32).fill(fill) })
const FIRST = keyOf('k1', 1)
const SECOND = keyOf('k2', 2)
const KEY: RecordKey = aKey({ clientId: 'app', shop: 'acme' })

tokenStoreContract(
  { describe, it },
  {
    name: 'a sealed MemoryTokenStore',
    open() {
      const store = sealedStore(new MemoryTokenStore(), staticKeyRing([FIRST]))
      return { store, other: store }
    },
  },
)

const PLANTED = {
  accessToken: 'shpat_planted-access-token',
  refreshToken: 'shprt_planted-refresh-token',
  alternates: ['shprt_planted-alternate-one', 'shprt_planted-alternate-two'],
  predecessor: 'shprt_planted-predecessor',
  attempts: [
    anAttempt({ credential: fingerprint('shprt_planted-refresh-token') }),
    anAttempt({ credential: fingerprint('shprt_planted-alternate-one') }),
  ],
}
const SECRETS: readonly string[] = [
  PLANTED.accessToken,
  PLANTED.refreshToken,
  ...PLANTED.alternates,
  PLANTED.predecessor,
  ...PLANTED.attempts.map(({ credential }) => credential),
]

let inner: MemoryTokenStore
let store: TokenStore

beforeEach(() => {
  inner = new MemoryTokenStore({ clock: new FakeClock() })
  store = sealedStore(inner, staticKeyRing([FIRST]))
})

async function put(record: TokenRecord, key: RecordKey = KEY, into: TokenStore = store): Promise<void> {
  const { version } = await into.get(key).catch(() => inner.get(key))
  expect(await into.put(key, record, version)).toMatchObject({ outcome: 'written' })
}

/** Puts a full record, and gives back how it lies in the inner store. */
async function sealedRow(key: RecordKey = KEY): Promise<ExpiringRecord> {
  await put(aRecord.expiring(PLANTED), key)
  return (await inner.get(key)).record as ExpiringRecord
}

/** Every form in which a secret might be found. */
const formsOf = (secret: string): string[] =>
  (['base64', 'base64url', 'hex'] as const)
    .flatMap((encoding) => [0, 1, 2].map((cut) => Buffer.from(secret).subarray(cut).toString(encoding)))
    .map((form) => form.replace(/=+$/, '').slice(0, -2))
    .concat(secret)

describe('what lies in the inner store', () => {
  it.each<[kind: string, record: TokenRecord]>([
    ['expiring', aRecord.expiring(PLANTED)],
    ['non-expiring', aRecord.nonExpiring({ accessToken: PLANTED.accessToken, attempts: PLANTED.attempts })],
    ['static', aRecord.static({ accessToken: PLANTED.accessToken })],
    ['empty', aRecord.empty({ attempts: PLANTED.attempts })],
    ['removed', aRecord.removed({ attempts: PLANTED.attempts })],
  ])('of a record of kind %s holds no secret, raw or encoded', async (_kind, record) => {
    await put(record)

    const stored = JSON.stringify((await inner.get(KEY)).record)
    const found = SECRETS.flatMap((secret) => formsOf(secret).filter((form) => stored.includes(form)))

    expect(found).toEqual([])
  })

  it('would hold every secret without the seal, so that the search proves something', async () => {
    await put(aRecord.expiring(PLANTED), KEY, inner)

    const stored = JSON.stringify((await inner.get(KEY)).record)

    expect(SECRETS.filter((secret) => stored.includes(secret))).toEqual(SECRETS)
  })

  it('is for every secret a JWE of its own that names its key', async () => {
    const row = await sealedRow()
    const sealed = [row.accessToken, row.refreshToken, ...row.alternates, row.predecessor!, row.attempts[0]!.credential]

    for (const value of sealed) {
      expect(value.split('.')).toHaveLength(5)
      const header = JSON.parse(Buffer.from(value.split('.')[0]!, 'base64url').toString()) as object
      expect(header).toMatchObject({ alg: 'dir', enc: 'A256GCM', kid: 'k1' })
    }
    expect(new Set(sealed).size).toBe(sealed.length)
  })

  it('differs although the same record is put twice', async () => {
    const first = await sealedRow()
    const second = await sealedRow()

    expect(second.accessToken).not.toBe(first.accessToken)
  })

  it('is in the clear where it is no secret', async () => {
    const record = aRecord.expiring({ ...PLANTED, mark: aMark(), coolDown: aCoolDown() })
    const { accessToken, refreshToken, alternates, predecessor, attempts, ...clear } = record

    await put(record)

    expect((await inner.get(KEY)).record).toMatchObject(clear)
    expect([accessToken, refreshToken, alternates, predecessor, attempts]).toHaveLength(5)
  })
})

describe('a sealed record', () => {
  it.each<TokenRecord>([
    aRecord.expiring({ ...PLANTED, mark: aMark(), coolDown: aCoolDown() }),
    aRecord.expiring({ predecessor: null, alternates: [] }),
    aRecord.nonExpiring({ attempts: PLANTED.attempts }),
    aRecord.static(),
    aRecord.empty({ attempts: PLANTED.attempts }),
    aRecord.removed(),
  ])('of kind $kind comes back as it was put', async (record) => {
    await put(record)

    expect((await store.get(KEY)).record).toEqual(record)
  })

  it.each(['\uFEFFwith a byte order mark', 'ünïcödé \u{1F511}', '', ' spaces '])(
    'comes back to the character: %j',
    async (accessToken) => {
      await put(aRecord.static({ accessToken }))

      expect((await store.get(KEY)).record).toMatchObject({ accessToken })
    },
  )

  it('is null where there is no row', async () => {
    expect(await store.get(KEY)).toMatchObject({ record: null, version: 'absent' })
  })

  it('comes back opened with a conflict', async () => {
    const record = aRecord.expiring(PLANTED)
    await put(record)

    const result = await store.put(KEY, aRecord.expiring(), 'absent')

    expect(result).toMatchObject({ outcome: 'conflict', present: { record } })
  })

  it('comes back opened with a scan', async () => {
    const record = aRecord.expiring(PLANTED)
    await put(record)

    const rows: ScannedRow[] = []
    for await (const row of store.scan({ clientId: 'app' })) rows.push(row)

    expect(rows).toMatchObject([{ key: KEY, record }])
  })

  it('can be asked for', async () => {
    await put(aRecord.expiring())

    await store.ask(KEY)

    expect((await store.get(KEY)).askedAt).not.toBeNull()
  })

  it('is not changed by being put', async () => {
    const record = aRecord.expiring(PLANTED)
    const before = structuredClone(record)

    await put(record)

    expect(record).toEqual(before)
  })
})

/** How a value gets to where it does not belong, or changes. */
const TAMPERED: readonly (readonly [what: string, field: string, change: (row: ExpiringRecord) => TokenRecord])[] = [
  ['the refresh token as access token', 'accessToken', (row) => ({ ...row, accessToken: row.refreshToken })],
  ['the access token as refresh token', 'refreshToken', (row) => ({ ...row, refreshToken: row.accessToken })],
  ['an alternate as refresh token', 'refreshToken', (row) => ({ ...row, refreshToken: row.alternates[0]! })],
  ['the refresh token as predecessor', 'predecessor', (row) => ({ ...row, predecessor: row.refreshToken })],
  ['the predecessor as alternate', 'alternates', (row) => ({ ...row, alternates: [row.predecessor!] })],
  ['a fingerprint as access token', 'accessToken', (row) => ({ ...row, accessToken: row.attempts[0]!.credential })],
  ['the access token as fingerprint', 'attempts', (row) => withCredential(row, row.accessToken)],
  ['a token in the clear', 'accessToken', (row) => ({ ...row, accessToken: PLANTED.accessToken })],
  ['nothing', 'refreshToken', (row) => ({ ...row, refreshToken: '' })],
  ['four dots', 'refreshToken', (row) => ({ ...row, refreshToken: '....' })],
  ['a value without its tag', 'accessToken', (row) => ({ ...row, accessToken: part(row.accessToken, 4, () => '') })],
]

describe('a value', () => {
  it.each(TAMPERED)('does not open in the place of another: %s', async (_what, field, change) => {
    const row = await sealedRow()
    await put(change(row), KEY, inner)

    const error = (await store.get(KEY).catch((refusal: unknown) => refusal)) as StoreUnreadableError

    expect(error).toBeInstanceOf(StoreUnreadableError)
    expect(error).toMatchObject({ code: 'ERR_STORE_UNREADABLE', shop: KEY.shop })
    expect(error.message).toContain(`The stored ${field} cannot be opened`)
  })

  it.each<[what: string, to: RecordKey]>([
    ['another shop', { ...KEY, shop: parseShop('other.myshopify.com') }],
    ['another app', { ...KEY, clientId: 'other-app' }],
    ['an app and shop whose names run together alike', { clientId: 'app\0acme.myshopify.com', shop: KEY.shop }],
  ])('does not open in the row of %s', async (_what, to) => {
    await put(await sealedRow(), to, inner)

    await expect(store.get(to)).rejects.toBeInstanceOf(StoreUnreadableError)
    await expect(store.get(KEY)).resolves.toMatchObject({ record: PLANTED })
  })

  it.each([
    ['header', 0],
    ['initialisation vector', 2],
    ['ciphertext', 3],
    ['tag', 4],
  ])('with one flipped bit in its %s does not open', async (_what, index) => {
    const row = await sealedRow()
    await put({ ...row, accessToken: part(row.accessToken, index, flipped) }, KEY, inner)

    await expect(store.get(KEY)).rejects.toBeInstanceOf(StoreUnreadableError)
  })

  it.each<[what: string, header: object]>([
    ['no key id', { kid: undefined }],
    ['a key id that is no text', { kid: { id: 'k1' } }],
    ['an unknown key id', { kid: 'k9' }],
    ['another algorithm', { alg: 'A256KW' }],
    ['another cipher', { enc: 'A128CBC-HS256' }],
    ['another place', { ctx: 'elsewhere' }],
  ])('whose header names %s does not open', async (_what, changed) => {
    const row = await sealedRow()
    const accessToken = part(row.accessToken, 0, (header) => {
      const claims = JSON.parse(Buffer.from(header, 'base64url').toString()) as object
      return Buffer.from(JSON.stringify({ ...claims, ...changed })).toString('base64url')
    })
    await put({ ...row, accessToken }, KEY, inner)

    await expect(store.get(KEY)).rejects.toBeInstanceOf(StoreUnreadableError)
  })

  it('that does not open is not quoted, and its row stays as it is', async () => {
    const row = await sealedRow()
    await put({ ...row, refreshToken: 'planted' }, KEY, inner)
    const before = await inner.get(KEY)

    const error = (await store.get(KEY).catch((refusal: unknown) => refusal)) as StoreUnreadableError

    expect(error.message).not.toContain('planted')
    expect(error.cause).toBeUndefined()
    expect((await inner.get(KEY)).version).toBe(before.version)
  })

  it('that does not open is told to whoever listens, and the scan goes on behind it', async () => {
    const row = await sealedRow()
    await put({ ...row, refreshToken: 'planted' }, KEY, inner)
    const behind = aKey({ clientId: 'app', shop: 'behind' })
    await put(aRecord.expiring(), behind)

    const told: unknown[] = []
    const onUnreadable = ({ code, shop }: StoreUnreadableError): unknown => told.push(code, shop)
    for await (const { key } of store.scan({ clientId: 'app', onUnreadable })) told.push(key.shop)

    expect(told).toEqual(['ERR_STORE_UNREADABLE', KEY.shop, behind.shop])
  })

  it('that does not open ends a scan, naming the shop', async () => {
    const row = await sealedRow()
    await put({ ...row, refreshToken: 'planted' }, KEY, inner)

    const scan = (async () => {
      for await (const { key } of store.scan({ clientId: 'app' })) throw new Error(`was opened: ${key.shop}`)
    })()

    await expect(scan).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE', shop: KEY.shop })
  })
})

describe('sealing keys', () => {
  it('that are other ones with the same id open nothing', async () => {
    await sealedRow()

    const error = await sealedStore(inner, staticKeyRing([keyOf('k1', 9)]))
      .get(KEY)
      .catch((refusal: unknown) => refusal)

    expect(error).toBeInstanceOf(StoreUnreadableError)
  })

  it('of which the value names none open nothing', async () => {
    await sealedRow()

    await expect(sealedStore(inner, staticKeyRing([SECOND])).get(KEY)).rejects.toBeInstanceOf(StoreUnreadableError)
  })

  it('that were current before still open, and new values are sealed with the current one', async () => {
    await sealedRow()
    const rotated = sealedStore(inner, staticKeyRing([SECOND, FIRST]))

    const { record } = await rotated.get(KEY)
    await put(record!, KEY, rotated)

    expect(record).toMatchObject(PLANTED)
    await expect(sealedStore(inner, staticKeyRing([SECOND])).get(KEY)).resolves.toMatchObject({ record: PLANTED })
  })
})

describe('a key ring that is away', () => {
  const away = new Error('the secrets manager does not answer')
  let ring: KeyRing & { current: jest.Mock; byId: jest.Mock }

  beforeEach(() => {
    ring = { current: jest.fn(async () => FIRST), byId: jest.fn(async () => FIRST) }
    store = sealedStore(inner, ring)
  })

  it('at the first put stores nothing and says so', async () => {
    ring.current.mockRejectedValue(away)

    const error = await store.put(KEY, aRecord.expiring(), 'absent').catch((refusal: unknown) => refusal)

    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(error).toMatchObject({ retryable: true, cause: away })
    expect((await inner.get(KEY)).record).toBeNull()
  })

  it('at a later put is done without: the key that sealed last seals', async () => {
    await put(aRecord.empty({ attempts: [anAttempt()] }))
    ring.current.mockRejectedValue(away)

    await put(aRecord.expiring(PLANTED))

    await expect(store.get(KEY)).resolves.toMatchObject({ record: PLANTED })
  })

  it('is asked again at the next put', async () => {
    await put(aRecord.expiring())
    ring.current.mockResolvedValue(SECOND)

    await put(aRecord.expiring())

    const { accessToken } = (await inner.get(KEY)).record as ExpiringRecord
    expect(Buffer.from(accessToken.split('.')[0]!, 'base64url').toString()).toContain('"k2"')
  })

  it.each<[how: string, fails: () => unknown]>([
    ['rejects', () => Promise.reject(away)],
    [
      'throws',
      () => {
        throw away
      },
    ],
  ])('at a get makes the store unavailable, not the row unreadable, when it %s', async (_how, fails) => {
    await sealedRow()
    ring.byId.mockImplementation(fails)

    const error = await store.get(KEY).catch((refusal: unknown) => refusal)

    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: true, cause: away })
  })

  it('that has no such key makes the row unreadable', async () => {
    await sealedRow()
    ring.byId.mockResolvedValue(undefined)

    await expect(store.get(KEY)).rejects.toBeInstanceOf(StoreUnreadableError)
  })
})

describe('the key of an attempt', () => {
  const withAttempt = aRecord.expiring({ attempts: [anAttempt()] })
  const kidOf = ({ accessToken }: ExpiringRecord): unknown =>
    (JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString()) as { kid: unknown }).kid

  /** The key ids of two puts: an attempt, and what `next` makes of it. */
  async function kidsOf(next: TokenRecord, current: () => SealingKey | Promise<SealingKey>): Promise<unknown[]> {
    const inner = new MemoryTokenStore({ clock: new FakeClock() })
    const asked = jest.fn(current).mockReturnValueOnce(FIRST)
    const store = sealedStore(inner, { current: asked, byId: (id) => [FIRST, SECOND].find((key) => key.id === id) })
    const kids: unknown[] = []
    let expected: Version | 'absent' = 'absent'
    for (const record of [withAttempt, next]) {
      const result = await store.put(KEY, record, expected)
      if (result.outcome === 'written') expected = result.version
      kids.push(kidOf((await inner.get(KEY)).record as ExpiringRecord))
    }
    return kids
  }

  it('seals the pair that follows, though the ring has a new key by then', async () => {
    expect(await kidsOf(aRecord.expiring(), () => SECOND)).toEqual(['k1', 'k1'])
  })

  it('seals the pair that follows, though the ring hangs by then', async () => {
    expect(await kidsOf(aRecord.expiring(), () => new Promise(() => undefined))).toEqual(['k1', 'k1'])
  })

  it('does not seal another attempt: that one has to prove the current key', async () => {
    const another = { ...withAttempt, attempts: [...withAttempt.attempts, anAttempt()] }

    expect(await kidsOf(another, () => SECOND)).toEqual(['k1', 'k2'])
  })
})

describe('an inner store that is away', () => {
  it('is told as it is', async () => {
    const faulty = new FaultyStore(inner)
    const failure = new StoreUnavailableError('Away.')
    faulty.always('get', fault.failBefore(failure)).always('put', fault.failBefore(failure))
    store = sealedStore(faulty, staticKeyRing([FIRST]))

    await expect(store.get(KEY)).rejects.toBe(failure)
    await expect(store.put(KEY, aRecord.expiring(), 'absent')).rejects.toBe(failure)
  })
})

function withCredential(row: ExpiringRecord, credential: string): TokenRecord {
  return { ...row, attempts: row.attempts.map((attempt): Attempt => ({ ...attempt, credential })) }
}

/** A JWE with one of its five parts changed. */
function part(jwe: string, index: number, change: (part: string) => string): string {
  return jwe
    .split('.')
    .map((each, at) => (at === index ? change(each) : each))
    .join('.')
}

function flipped(encoded: string): string {
  const bytes = Buffer.from(encoded, 'base64url')
  const middle = bytes.length >> 1
  bytes[middle] = bytes[middle]! ^ 1
  return bytes.toString('base64url')
}
