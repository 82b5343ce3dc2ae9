/** How a column is typed; each database has its own word for it. */
export type ColumnKind =
  /** Part of the primary key: ASCII, compared byte by byte. */
  | 'key'
  /** A short word of ours. */
  | 'word'
  /** Text of any length: tokens, and lists as JSON. */
  | 'text'
  /** Epoch milliseconds. */
  | 'instant'
  /** A small whole number. */
  | 'count'
  | 'flag'

/** A column of the table. */
export interface Column {
  /** Its name in the entity and in code. */
  readonly property: string
  readonly name: string
  readonly kind: ColumnKind
  readonly nullable: boolean
  /** Holds credentials, or what is made from them: never selected unless somebody asks for it by name. */
  readonly secret: boolean
}

function column(property: string, name: string, kind: ColumnKind, nullable: boolean, secret = false): Column {
  return { property, name, kind, nullable, secret }
}

/** What identifies a row. */
export const KEY_COLUMNS = [
  column('clientId', 'client_id', 'key', false),
  column('shop', 'shop', 'key', false),
] as const

/** What every write makes anew beside the record. */
export const WRITE_COLUMNS = [
  column('version', 'version', 'word', false),
  column('revision', 'revision', 'count', false),
  column('format', 'format', 'count', false),
  column('askedAt', 'asked_at', 'instant', true),
] as const

/** The record. Every put writes every one of these, so that nothing of an earlier record can stay behind. */
export const RECORD_COLUMNS = [
  column('kind', 'kind', 'word', false),
  column('marked', 'marked', 'flag', false),
  column('sweepAt', 'sweep_at', 'instant', true),
  column('accessToken', 'access_token', 'text', true, true),
  column('refreshToken', 'refresh_token', 'text', true, true),
  column('predecessor', 'predecessor', 'text', true, true),
  column('alternates', 'alternates', 'text', true, true),
  column('attempts', 'attempts', 'text', false, true),
  column('mark', 'mark', 'text', true),
  column('coolDown', 'cool_down', 'text', true),
  column('scopes', 'scopes', 'text', true),
  column('secretId', 'secret_id', 'word', true),
  column('obtainedAt', 'obtained_at', 'instant', true),
  column('confirmedAt', 'confirmed_at', 'instant', true),
  column('expiresAt', 'expires_at', 'instant', true),
  column('renewAt', 'renew_at', 'instant', true),
  column('refreshTokenExpiresAt', 'refresh_token_expires_at', 'instant', true),
  column('mintedForRejected', 'minted_for_rejected', 'flag', true),
  column('removedAt', 'removed_at', 'instant', true),
] as const

/** Every column, in the order of the table. */
export const COLUMNS: readonly Column[] = [...KEY_COLUMNS, ...WRITE_COLUMNS, ...RECORD_COLUMNS]

/** The format that this version writes, and the newest that it reads. */
export const FORMAT = 1

/** The table's name unless another is given. */
export const DEFAULT_TABLE_NAME = 'shopify_tokens'
