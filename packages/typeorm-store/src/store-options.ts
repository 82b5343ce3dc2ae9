import { type Clock, flagOption, InvalidOptionError, systemClock } from '@shopify-tokens/core'
import type { DataSource } from 'typeorm'
import { parseDatabaseType, parseTableName } from './table.js'

/** @see TypeOrmTokenStore */
export interface TypeOrmTokenStoreOptions {
  /** 1 to 40 letters, digits and underscores. Default `shopify_tokens`. */
  readonly tableName?: string | undefined
  /**
   * How long a call may take in all, waiting for a connection included. Milliseconds, 100 to 60 000, default 1 500:
   * below the token manager's `storeTimeoutMs`, so that the error that says why comes first.
   */
  readonly timeoutMs?: number | undefined
  /**
   * Whether to tell other processes of writes, and hear of theirs, through `LISTEN` and `NOTIFY` of PostgreSQL: a process
   * that waits for a row learns at once that it has changed. Each watching process keeps one connection of the pool for
   * it, so `poolSize` must be 2 or more; a pooler that shares connections per transaction brings nothing. Other databases
   * cannot. Default false.
   */
  readonly announceWrites?: boolean | undefined
  /** Measures time-outs and pauses; on SQLite also the backend's clock. Default: the machine's clock. */
  readonly clock?: Clock | undefined
}

/** Options with nothing left open. */
export interface StoreSettings {
  readonly tableName: string
  readonly timeoutMs: number
  readonly announceWrites: boolean
  readonly clock: Clock
}

const DEFAULT_TIMEOUT_MS = 1_500
const DEFAULT_PAGE_SIZE = 200
const MAX_PAGE_SIZE = 1_000
/** Of pg. */
const DEFAULT_POOL_SIZE = 10

const OPTION_NAMES: readonly string[] = [
  'tableName',
  'timeoutMs',
  'announceWrites',
  'clock',
] satisfies (keyof TypeOrmTokenStoreOptions)[]

/** @throws InvalidOptionError `ERR_INVALID_OPTION`, naming the option. */
export function parseStoreOptions(
  options: TypeOrmTokenStoreOptions,
  dataSourceOptions: DataSource['options'],
): StoreSettings {
  const unknown = Object.keys(options).filter((name) => !OPTION_NAMES.includes(name))
  if (unknown.length > 0) {
    throw new InvalidOptionError(`TypeOrmTokenStore does not know the option ${unknown.join(', ')}.`, unknown)
  }
  parseDatabaseType(dataSourceOptions.type)
  const announceWrites = flagOption('announceWrites', options.announceWrites, false)
  if (announceWrites) refuseWhereNothingIsAnnounced(dataSourceOptions)
  return {
    tableName: parseTableName(options.tableName),
    timeoutMs: wholeNumber('timeoutMs', options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 100, 60_000),
    announceWrites,
    clock: options.clock ?? systemClock,
  }
}

/** @throws InvalidOptionError `ERR_INVALID_OPTION` for anything but a whole number from 1 to 1 000. */
export function parsePageSize(pageSize: number = DEFAULT_PAGE_SIZE): number {
  return wholeNumber('pageSize', pageSize, 1, MAX_PAGE_SIZE)
}

function refuseWhereNothingIsAnnounced(options: DataSource['options']): void {
  if (options.type !== 'postgres') {
    throw new InvalidOptionError('announceWrites needs PostgreSQL; no other database has LISTEN and NOTIFY.', [
      'announceWrites',
    ])
  }
  const { max = options.poolSize ?? DEFAULT_POOL_SIZE } = (options.extra ?? {}) as { readonly max?: number }
  if (max >= 2) return
  throw new InvalidOptionError('announceWrites keeps one connection of the pool: poolSize must be 2 or more.', [
    'announceWrites',
  ])
}

function wholeNumber(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new InvalidOptionError(`${name} must be a whole number from ${least} to ${most}.`, [name])
}
