import { createHash } from 'node:crypto'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { LRUCache } from 'lru-cache'
import { StoreUnavailableError, StoreUnreadableError } from './errors.js'
import type { DeliveryLog } from './ports/delivery-log.js'
import type { DeploymentRegister } from './ports/deployment-register.js'
import type { KeyRing, SealingKey } from './ports/key-ring.js'
import type { PutResult, ScannedRow, ScanQuery, Snapshot, TokenStore, Version } from './ports/token-store.js'
import type { WatchWrites } from './ports/write-watch.js'
import type { Attempt, RecordKey, TokenRecord } from './token.js'

/**
 * Seals what is secret in a record before it reaches `store`, and opens it on the way back. Each value is a JWE (RFC
 * 7516, `dir` with A256GCM) that names its key and is bound to its app, shop and field: moved to another row or column
 * it does not open.
 *
 * A value that does not open rejects with `ERR_STORE_UNREADABLE`: an operator's error, never "no record".
 */
export function sealedStore(store: TokenStore, keyRing: KeyRing): TokenStore {
  return new SealedStore(store, keyRing)
}

/** More shops than are ever being renewed at one time. */
const MAX_PROVEN = 1_000

/** This process's latest write of a row. */
interface Proven {
  readonly version: Version
  readonly sealingKey: SealingKey
  readonly attempts: readonly Attempt[]
}

class SealedStore implements TokenStore {
  readonly watch: WatchWrites | undefined
  readonly deployments: DeploymentRegister | undefined
  readonly deliveries: DeliveryLog | undefined
  readonly #store: TokenStore
  readonly #keyRing: KeyRing
  /** What each attempt was sealed with: the pair that follows it neither waits for a key ring nor meets a new key. */
  readonly #proven = new LRUCache<string, Proven>({ max: MAX_PROVEN })
  /** The key that sealed last, for when the key ring is away. */
  #lastKey: SealingKey | null = null

  constructor(store: TokenStore, keyRing: KeyRing) {
    this.#store = store
    this.#keyRing = keyRing
    this.watch = store.watch?.bind(store)
    this.deployments = store.deployments
    this.deliveries = store.deliveries
  }

  async get(key: RecordKey): Promise<Snapshot> {
    return this.#openedSnapshot(key, await this.#store.get(key))
  }

  async put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    const name = JSON.stringify([key.clientId, key.shop])
    const sealingKey = this.#provenFor(name, record, expected) ?? (await this.#currentKey())
    const result = await this.#store.put(key, await sealed(sealingKey, key, record), expected)
    if (result.outcome === 'conflict') return { ...result, present: await this.#openedSnapshot(key, result.present) }
    this.#proven.set(name, { version: result.version, sealingKey, attempts: record.attempts })
    return result
  }

  async *scan(query: ScanQuery): AsyncIterable<ScannedRow> {
    for await (const row of this.#store.scan(query)) {
      const record = await this.#openedOrTold(row, query)
      if (record !== null) yield { ...row, record }
    }
  }

  ask(key: RecordKey): Promise<void> {
    return this.#store.ask(key)
  }

  /** The key of the row that is replaced, when this put takes an attempt out of it that this process has written. */
  #provenFor(name: string, { attempts }: TokenRecord, expected: Version | 'absent'): SealingKey | undefined {
    const proven = this.#proven.get(name)
    if (proven?.version !== expected) return undefined
    const stays = proven.attempts.every(({ id }) => attempts.some((attempt) => attempt.id === id))
    return stays ? undefined : proven.sealingKey
  }

  async #openedSnapshot(key: RecordKey, snapshot: Snapshot): Promise<Snapshot> {
    const { record } = snapshot
    return record === null ? snapshot : { ...snapshot, record: await this.#opened(key, record) }
  }

  async #openedOrTold({ key, record }: ScannedRow, { onUnreadable }: ScanQuery): Promise<TokenRecord | null> {
    try {
      return await this.#opened(key, record)
    } catch (error) {
      if (onUnreadable === undefined || !(error instanceof StoreUnreadableError)) throw error
      onUnreadable(error)
      return null
    }
  }

  #opened(key: RecordKey, record: TokenRecord): Promise<TokenRecord> {
    return mapSecrets(record, async (field, sealed) => {
      const opened = await open(this.#keyRing, contextOf(key, field), sealed)
      if (opened !== null) return opened
      throw new StoreUnreadableError(
        `The stored ${field} cannot be opened: its sealing key is missing, or the value was changed or moved.`,
        { shop: key.shop },
      )
    })
  }

  async #currentKey(): Promise<SealingKey> {
    try {
      this.#lastKey = await this.#keyRing.current()
      return this.#lastKey
    } catch (error) {
      if (this.#lastKey !== null) return this.#lastKey
      throw new StoreUnavailableError('No sealing key could be had; nothing was stored.', { cause: error })
    }
  }
}

/** The secret fields of a record. An attempt's fingerprint is among them so that even a row without tokens proves the key. */
type SecretField = 'accessToken' | 'refreshToken' | 'predecessor' | 'alternates' | 'attempts'

async function mapSecrets(
  record: TokenRecord,
  map: (field: SecretField, value: string) => Promise<string>,
): Promise<TokenRecord> {
  const attempts = await Promise.all(
    record.attempts.map(async (attempt) => ({ ...attempt, credential: await map('attempts', attempt.credential) })),
  )
  if (!('accessToken' in record)) return { ...record, attempts }
  const accessToken = await map('accessToken', record.accessToken)
  if (record.kind !== 'expiring') return { ...record, attempts, accessToken }
  const [refreshToken, predecessor, ...alternates] = await Promise.all([
    map('refreshToken', record.refreshToken),
    record.predecessor === null ? null : map('predecessor', record.predecessor),
    ...record.alternates.map((alternate) => map('alternates', alternate)),
  ])
  return { ...record, attempts, accessToken, refreshToken, predecessor, alternates }
}

function sealed(sealingKey: SealingKey, key: RecordKey, record: TokenRecord): Promise<TokenRecord> {
  return mapSecrets(record, (field, value) => seal(sealingKey, contextOf(key, field), value))
}

/** Names the place of a value. A hash, because the header of a JWE is readable and of bounded length. */
function contextOf({ clientId, shop }: RecordKey, field: SecretField): string {
  return createHash('sha256').update(`${clientId}\0${shop}\0${field}`).digest('base64url')
}

/** The header parameter that carries {@link contextOf}; the header is authenticated (RFC 7516 section 5.1 step 14). */
const CONTEXT = 'ctx'
/** Gives back what was sealed to the character: a decoder drops a byte order mark unless it is told not to. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true })
const CIPHER = { alg: 'dir', enc: 'A256GCM' } as const

function seal(key: SealingKey, context: string, value: string): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(value))
    .setProtectedHeader({ ...CIPHER, kid: key.id, [CONTEXT]: context })
    .encrypt(key.bytes)
}

/** `null`: it does not open here. A key ring that cannot be asked now is another matter, and rejects. */
async function open(keyRing: KeyRing, context: string, sealed: string): Promise<string | null> {
  let unavailable: unknown
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(
      sealed,
      async ({ kid }) => {
        let key: SealingKey | undefined
        try {
          key = typeof kid === 'string' ? await keyRing.byId(kid) : undefined
        } catch (error) {
          unavailable = error
        }
        if (key === undefined) throw new Error('no such key')
        return key.bytes
      },
      { keyManagementAlgorithms: [CIPHER.alg], contentEncryptionAlgorithms: [CIPHER.enc] },
    )
    return protectedHeader[CONTEXT] === context ? DECODER.decode(plaintext) : null
  } catch {
    if (unavailable === undefined) return null
    throw new StoreUnavailableError('The sealing keys cannot be reached.', { cause: unavailable })
  }
}
