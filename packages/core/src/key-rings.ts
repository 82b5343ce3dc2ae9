import { readFile } from 'node:fs/promises'
import { withDeadline } from './deadline.js'
import { InvalidOptionError } from './errors.js'
import { wholeNumberOption } from './option-checks.js'
import type { Clock } from './ports/clock.js'
import { systemClock } from './ports/clock.js'
import type { KeyRing, SealingKey } from './ports/key-ring.js'

const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/
const KEY_BYTES = 32

/**
 * A ring over keys that are known now; the first seals, all open.
 *
 * @throws InvalidOptionError when there is none, one is not 32 bytes long, or two share an id.
 */
export function staticKeyRing(keys: readonly SealingKey[]): KeyRing {
  const [current] = checked(keys)
  const byId = new Map(keys.map((key) => [key.id, key]))
  return { current: () => current, byId: (id) => byId.get(id) }
}

/**
 * Reads keys from text: `id:base64` each, separated by commas or line breaks, the current one first. Make one with
 * `openssl rand -base64 32`.
 *
 * @throws InvalidOptionError which names the entry by its place, never its content.
 */
export function parseSealingKeys(text: string): readonly SealingKey[] {
  const entries = text.split(/[,\n]/).map((entry) => entry.trim())
  return checked(entries.filter((entry) => entry !== '').map(parseEntry))
}

function parseEntry(entry: string, index: number): SealingKey {
  const [, id, encoded] = /^([^:]*):([A-Za-z0-9+/_-]+={0,2})$/.exec(entry) ?? []
  if (id === undefined || encoded === undefined) {
    throw new InvalidOptionError(`Sealing key ${String(index + 1)} must have the form id:base64.`, ['sealing'])
  }
  return { id, bytes: Buffer.from(encoded, 'base64') }
}

function checked(keys: readonly SealingKey[]): readonly [SealingKey, ...SealingKey[]] {
  const [first, ...rest] = keys
  if (first === undefined) throw new InvalidOptionError('At least one sealing key is needed.', ['sealing'])
  keys.forEach((key, index) => {
    const { id, bytes }: Readonly<Record<keyof SealingKey, unknown>> = key
    const place = `Sealing key ${String(index + 1)}`
    if (typeof id !== 'string' || !KEY_ID.test(id)) {
      throw new InvalidOptionError(`${place} needs an id of 1 to 64 characters of A-Z a-z 0-9 . _ -`, ['sealing'])
    }
    if (!(bytes instanceof Uint8Array) || bytes.byteLength !== KEY_BYTES) {
      throw new InvalidOptionError(`${place} must be ${String(KEY_BYTES)} bytes long.`, ['sealing'])
    }
  })
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new InvalidOptionError('Two sealing keys share an id.', ['sealing'])
  }
  return [first, ...rest]
}

export interface LoadedKeyRingOptions {
  /** How long loaded keys are used before they are loaded again, in milliseconds. 0 to 86 400 000, default 300 000. */
  readonly maxAgeMs?: number | undefined
  /** How long one load may take, in milliseconds; keep it below `storeTimeoutMs`. 1 to 60 000, default 1 000. */
  readonly timeoutMs?: number | undefined
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined
}

/** While keys are at hand, a load that has failed is not repeated for this long. */
const RETRY_MS = 10_000

/**
 * A ring over keys that must be fetched: from a secrets manager, a KMS, anything asynchronous. Keys are loaded when
 * first needed, again when they are older than `maxAgeMs`, and again when a value names a key not among them. When a
 * load fails or takes too long, the keys loaded before stay in use; whether an unknown key exists cannot be told then,
 * and asking for it rejects.
 *
 * @throws InvalidOptionError when a duration is out of its range.
 */
export function loadedKeyRing(
  load: (signal: AbortSignal) => Promise<readonly SealingKey[]>,
  { maxAgeMs = 300_000, timeoutMs = 1_000, clock = systemClock }: LoadedKeyRingOptions = {},
): KeyRing {
  wholeNumberOption('maxAgeMs', maxAgeMs, 0, 86_400_000)
  wholeNumberOption('timeoutMs', timeoutMs, 1, 60_000)
  let ring: KeyRing | null = null
  let reloadAt = -Infinity
  let loading: Promise<KeyRing> | null = null

  async function loaded(): Promise<KeyRing> {
    try {
      ring = staticKeyRing(await withDeadline(clock, timeoutMs, load))
      reloadAt = clock.monotonic() + maxAgeMs
      return ring
    } finally {
      loading = null
    }
  }
  function reload(): Promise<KeyRing> {
    return (loading ??= loaded())
  }
  async function latest(): Promise<KeyRing> {
    if (ring !== null && clock.monotonic() < reloadAt) return ring
    try {
      return await reload()
    } catch (error) {
      if (ring === null) throw error
      reloadAt = clock.monotonic() + Math.min(maxAgeMs, RETRY_MS)
      return ring
    }
  }

  return {
    current: async () => (await latest()).current(),
    byId: async (id) => {
      const known = await (await latest()).byId(id)
      return known ?? (await reload()).byId(id)
    },
  }
}

/** A ring over a mounted secret file in the form of {@link parseSealingKeys}; a changed file is noticed within `maxAgeMs`. */
export function fileKeyRing(path: string, options: LoadedKeyRingOptions = {}): KeyRing {
  return loadedKeyRing(async () => parseSealingKeys(await readFile(path, 'utf8')), options)
}
