import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { type Clock, type KeyRing, loadedKeyRing, parseSealingKeys, type SealingKey } from '@shopify-tokens/core'
import { isExisting, prepareEmbeddedFile } from './embedded-file.js'

const KEY_BYTES = 32
const READS = 20
const PAUSE_MS = 25

/** Where the key of an embedded file lies. */
export function keyFileOf(file: string): string {
  return `${file}.key`
}

/**
 * A ring over the key file beside an embedded database. The first use makes the file if it is missing; never again
 * after that, for a second key would leave every row unreadable and hide that the first one is gone.
 */
export function embeddedKeyRing(databaseFile: string, clock: Clock): KeyRing {
  const file = keyFileOf(databaseFile)
  let wasThere = false
  return loadedKeyRing(
    async () => {
      if (!wasThere) {
        await prepareEmbeddedFile(databaseFile)
        await makeKeyFile(file)
      }
      const keys = await readKeyFile(file, clock)
      wasThere = true
      return keys
    },
    { clock },
  )
}

async function makeKeyFile(file: string): Promise<void> {
  const id = `embedded-${randomBytes(4).toString('hex')}`
  const text = `${id}:${randomBytes(KEY_BYTES).toString('base64')}\n`
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    if (!isExisting(error)) throw error
  }
}

/** Another process may have made the file and not yet written it. */
async function readKeyFile(file: string, clock: Clock): Promise<readonly SealingKey[]> {
  for (let read = 1; ; read += 1) {
    const text = await readFile(file, 'utf8')
    if (text.endsWith('\n') || read === READS) return parseSealingKeys(text)
    await clock.sleep(PAUSE_MS)
  }
}
