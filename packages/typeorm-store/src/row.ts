import { isRenewable, StoreUnreadableError, type TokenRecord } from '@shopify-tokens/core'
import { CellReader, type Cells } from './cells.js'
import { FORMAT, RECORD_COLUMNS } from './columns.js'
import { toAttempts, toCoolDown, toMark, toTexts } from './json-columns.js'

/** What a statement can carry. */
export type Parameter = string | number | boolean | null

type RecordColumn = (typeof RECORD_COLUMNS)[number]['name']

/** The columns that hold something, by the kind of the record; in all others such a column is NULL. */
const TOKEN_COLUMNS = ['access_token', 'scopes', 'secret_id', 'obtained_at', 'confirmed_at'] as const
const ENDING_COLUMNS = ['expires_at', 'renew_at', 'minted_for_rejected'] as const
const COLUMNS_OF_KIND: Record<TokenRecord['kind'], readonly RecordColumn[]> = {
  empty: [],
  removed: ['removed_at'],
  static: TOKEN_COLUMNS,
  'non-expiring': TOKEN_COLUMNS,
  'client-credentials': [...TOKEN_COLUMNS, ...ENDING_COLUMNS],
  expiring: [
    ...TOKEN_COLUMNS,
    ...ENDING_COLUMNS,
    'refresh_token',
    'refresh_token_expires_at',
    'alternates',
    'predecessor',
  ],
}

/** In every kind of record. */
const COMMON_COLUMNS: readonly RecordColumn[] = ['kind', 'marked', 'attempts', 'mark', 'cool_down', 'sweep_at']

/**
 * The record as a value for **every** record column, so that a write leaves nothing of the record before. Instants are
 * cut to whole milliseconds.
 *
 * @throws TypeError when an instant is not a number a database can hold; names the column.
 */
export function toCells(record: TokenRecord): Record<RecordColumn, Parameter> {
  return {
    kind: record.kind,
    marked: record.mark !== null,
    sweep_at: record.sweepAt === null ? null : instant('sweep_at', record.sweepAt),
    attempts: JSON.stringify(record.attempts),
    mark: record.mark === null ? null : JSON.stringify(record.mark),
    cool_down: record.coolDown === null ? null : JSON.stringify(record.coolDown),
    ...tokenCells(record),
    ...endingCells(record),
    ...pairCells(record),
    removed_at: record.kind === 'removed' ? instant('removed_at', record.removedAt) : null,
  }
}

function tokenCells(record: TokenRecord): Record<(typeof TOKEN_COLUMNS)[number], Parameter> {
  if (record.kind === 'empty' || record.kind === 'removed') {
    return { access_token: null, scopes: null, secret_id: null, obtained_at: null, confirmed_at: null }
  }
  return {
    access_token: record.accessToken,
    scopes: JSON.stringify(record.scopes),
    secret_id: record.secretId,
    obtained_at: instant('obtained_at', record.obtainedAt),
    confirmed_at: record.confirmedAt === null ? null : instant('confirmed_at', record.confirmedAt),
  }
}

function endingCells(record: TokenRecord): Record<(typeof ENDING_COLUMNS)[number], Parameter> {
  if (!isRenewable(record)) return { expires_at: null, renew_at: null, minted_for_rejected: null }
  return {
    expires_at: instant('expires_at', record.expiresAt),
    renew_at: instant('renew_at', record.renewAt),
    minted_for_rejected: record.mintedForRejected,
  }
}

function pairCells(record: TokenRecord) {
  if (record.kind !== 'expiring') {
    return { refresh_token: null, refresh_token_expires_at: null, alternates: null, predecessor: null }
  }
  return {
    refresh_token: record.refreshToken,
    refresh_token_expires_at: instant('refresh_token_expires_at', record.refreshTokenExpiresAt),
    alternates: JSON.stringify(record.alternates),
    predecessor: record.predecessor,
  }
}

function instant(column: RecordColumn, value: number): number {
  const whole = Math.floor(value)
  if (Number.isSafeInteger(whole)) return whole
  throw new TypeError(`${column} is not an instant in epoch milliseconds`)
}

/**
 * The record in a row. Strict: every column of the record's kind holds what it must, and no other column holds
 * anything.
 *
 * @throws StoreUnreadableError `ERR_STORE_UNREADABLE`, naming the shop and the column, never a value.
 */
export function toRecord(cells: Cells, shop: string): TokenRecord {
  const read = new CellReader(cells, shop)
  const format = read.integer('format')
  if (format > FORMAT) {
    throw new StoreUnreadableError(
      `The row was written by a newer version of @shopify-tokens/typeorm-store (format ${format}; this one reads ${FORMAT}).`,
      { shop },
    )
  }
  if (format < 1) read.refuse('format', 'a format that ever existed')

  const kind = read.text('kind')
  if (!isKind(kind)) return read.refuse('kind', 'a known kind')
  refuseForeignCells(read, kind)

  const base = {
    attempts: read.json('attempts', toAttempts),
    mark: read.nullable('mark', (column) => read.json(column, toMark)),
    coolDown: read.nullable('cool_down', (column) => read.json(column, toCoolDown)),
    sweepAt: read.nullable('sweep_at', (column) => read.integer(column)),
  }
  if (read.flag('marked') !== (base.mark !== null)) read.refuse('marked', 'what column mark says')

  switch (kind) {
    case 'empty':
      return { kind, ...base }
    case 'removed':
      return { kind, ...base, removedAt: read.integer('removed_at') }
    case 'static':
    case 'non-expiring':
      return { kind, ...base, ...readTokens(read) }
    case 'client-credentials':
      return { kind, ...base, ...readTokens(read), ...readEnd(read) }
    case 'expiring':
      return {
        kind,
        ...base,
        ...readTokens(read),
        ...readEnd(read),
        refreshToken: read.text('refresh_token'),
        refreshTokenExpiresAt: read.integer('refresh_token_expires_at'),
        alternates: read.json('alternates', toTexts),
        predecessor: read.nullable('predecessor', (column) => read.text(column)),
      }
  }
}

function readTokens(read: CellReader) {
  return {
    accessToken: read.text('access_token'),
    scopes: read.json('scopes', toTexts),
    obtainedAt: read.integer('obtained_at'),
    confirmedAt: read.nullable('confirmed_at', (column) => read.integer(column)),
    secretId: read.text('secret_id'),
  }
}

function readEnd(read: CellReader) {
  return {
    expiresAt: read.integer('expires_at'),
    renewAt: read.integer('renew_at'),
    mintedForRejected: read.flag('minted_for_rejected'),
  }
}

function isKind(kind: string): kind is TokenRecord['kind'] {
  return Object.hasOwn(COLUMNS_OF_KIND, kind)
}

/** A tombstone with a token, or a static token with a refresh token, was made by nobody who knows the rules. */
function refuseForeignCells(read: CellReader, kind: TokenRecord['kind']): void {
  for (const { name } of RECORD_COLUMNS) {
    if (COMMON_COLUMNS.includes(name) || COLUMNS_OF_KIND[kind].includes(name)) continue
    if (!read.isNull(name)) read.refuse(name, `empty, as kind ${kind} has it`)
  }
}
