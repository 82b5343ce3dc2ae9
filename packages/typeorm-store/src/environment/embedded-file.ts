import { chmod, mkdir, open, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { DataSourceOptions } from 'typeorm'

/** Where tokens are kept in development when nothing else is said, relative to the working directory. */
export const DEFAULT_FILE = join('.shopify-tokens', 'tokens.sqlite')

/** A busy wait of better-sqlite3 blocks the event loop, so it is short; the store itself waits without blocking. */
const BUSY_TIMEOUT_MS = 50

/**
 * The options of a DataSource of the store's own for a SQLite file: write-ahead log, and every commit on the disk
 * before it is acknowledged. For a local disk only.
 */
export function embeddedOptions(file: string): DataSourceOptions {
  return {
    type: 'better-sqlite3',
    database: resolve(file),
    timeout: BUSY_TIMEOUT_MS,
    enableWAL: true,
    prepareDatabase: (database: { pragma(text: string): unknown }) => {
      // better-sqlite3 opens WAL files with NORMAL: a power cut would take acknowledged pairs.
      database.pragma('synchronous = FULL')
    },
  }
}

/**
 * Makes sure that the file exists and belongs to this user alone. A folder that has to be made is closed to others too,
 * and tells git to commit nothing in it. What exists already stays as it is.
 */
export async function prepareEmbeddedFile(file: string): Promise<void> {
  await makeFolder(dirname(resolve(file)))
  try {
    const created = await open(file, 'wx', 0o600)
    await created.close()
  } catch (error) {
    if (!isExisting(error)) throw error
  }
}

async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  // The mode above is cut by the process's umask only, never widened; this is for systems that ignore it.
  await chmod(folder, 0o700)
  await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx' }).catch((error: unknown) => {
    if (!isExisting(error)) throw error
  })
}

/** Whether a file could not be made because it is there. */
export function isExisting(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'EEXIST'
}
