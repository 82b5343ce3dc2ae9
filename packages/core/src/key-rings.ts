import { readFile } from 'node:fs/promises'
import { InvalidOptionError } from './errors.js'
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
  keys.forEach(({ id, bytes }, index) => {
    const place = `Sealing key ${String(index + 1)}`
    if (!KEY_ID.test(id)) throw new InvalidOptionError(`${place} needs an id of A-Z a-z 0-9 . _ -`, ['sealing'])
    if (bytes.byteLength !== KEY_BYTES) {
      throw new InvalidOptionError(`${place} must be ${String(KEY_BYTES)} bytes long.`, ['sealing'])
    }
  })
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new InvalidOptionError('Two sealing keys share an id.', ['sealing'])
  }
  return [first, ...rest]
}

export interface LoadedKeyRingOptions {
  /** How long loaded keys are used before they are loaded again, in milliseconds. Default 300 000. */
  readonly maxAgeMs?: number | undefined
  readonly clock?: Clock | undefined
}

/**
 * A ring over keys that must be fetched: from a secrets manager, a KMS, anything asynchronous. Keys are loaded when
 * first needed, again when they are older than `maxAgeMs`, and again when a value names a key not among them. When a
 * load fails, the keys loaded before stay in use.
 */
export function loadedKeyRing(
  load: () => Promise<readonly SealingKey[]>,
  { maxAgeMs = 300_000, clock = systemClock }: LoadedKeyRingOptions = {},
): KeyRing {
  let ring: KeyRing | null = null
  let loadedAt = -Infinity
  let loading: Promise<KeyRing> | null = null

  async function reload(): Promise<KeyRing> {
    try {
      ring = staticKeyRing(await load())
      loadedAt = clock.monotonic()
      return ring
    } catch (error) {
      if (ring === null) throw error
      return ring
    } finally {
      loading = null
    }
  }
  function latest(): Promise<KeyRing> {
    if (ring !== null && clock.monotonic() - loadedAt < maxAgeMs) return Promise.resolve(ring)
    return (loading ??= reload())
  }

  return {
    current: async () => (await latest()).current(),
    byId: async (id) => {
      const known = await (await latest()).byId(id)
      return known ?? (await (loading ??= reload())).byId(id)
    },
  }
}

/** A ring over a mounted secret file in the form of {@link parseSealingKeys}; a changed file is noticed within `maxAgeMs`. */
export function fileKeyRing(path: string, options: LoadedKeyRingOptions = {}): KeyRing {
  return loadedKeyRing(async () => parseSealingKeys(await readFile(path, 'utf8')), options)
}
