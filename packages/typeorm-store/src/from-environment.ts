import {
  type Clock,
  createTokenManager,
  ENVIRONMENT_VARIABLES,
  type EnvironmentConfiguration,
  fileKeyRing,
  invalidOption,
  InvalidOptionError,
  type KeyRing,
  parseShop,
  readEnvironment,
  Secret,
  staticKeyRing,
  StoreUnavailableError,
  systemClock,
  type TokenManager,
  type TokenManagerOptions,
  type TokenStore,
} from '@shopify-tokens/core'
import { codeOf } from './dialects/dialect.js'
import { DEFAULT_FILE, embeddedOptions, prepareEmbeddedFile } from './environment/embedded-file.js'
import { embeddedKeyRing, keyFileOf } from './environment/key-file.js'
import { LazyTokenStore, type OpenStore } from './environment/lazy-token-store.js'
import { migrate, openDataSource } from './environment/open-data-source.js'
import { serverOptions } from './environment/server-database.js'
import { TypeOrmTokenStore } from './typeorm-token-store.js'

/** What to open. */
export type StoreConfiguration = Pick<EnvironmentConfiguration, 'database' | 'sealing'>

/** @see openTokenStore */
export interface OpenTokenStoreOptions {
  /** What {@link readEnvironment} of core has read. Default: it reads `process.env`. */
  readonly configuration?: StoreConfiguration | undefined
  /** Gets the one line that names an embedded file. Default: the line goes to standard error. */
  readonly announce?: ((line: string) => void) | undefined
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined
}

/** An opened store with its keys. */
export interface OpenedTokenStore {
  /** Keeps records as they are given: seal them with {@link keyRing}, as `createTokenManager({ sealing })` does. */
  readonly store: TokenStore
  readonly keyRing: KeyRing
  /** Resolves when the database has answered. Calling it is optional: the first call of the store opens it too. */
  ready(): Promise<void>
  /** Closes the connections. The store refuses every call from then on. */
  close(): Promise<void>
}

/**
 * Opens the store that the environment names, on a DataSource of its own. Returns at once; the database is opened by
 * `ready()` or by the first call, and tried again by later calls when that failed.
 *
 * - A database URL: nothing is created there. When a table is missing or old, calls reject with
 *   `ERR_STORE_UNAVAILABLE` and name what to run: {@link migrateTokenDatabase}.
 * - A SQLite file, or nothing at all in development: the file, its folder and its tables are made. Where no sealing keys
 *   are given, a key file is made beside it. One line says where.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION` when the environment is incomplete, naming every variable at fault.
 */
export function openTokenStore(options: OpenTokenStoreOptions = {}): OpenedTokenStore {
  refuseUnknown(options)
  const { configuration = readEnvironment(process.env), announce = toStandardError, clock = systemClock } = options
  refuseUnread(configuration)
  const { database, sealing } = configuration
  if (database.kind === 'server') {
    if (sealing === null) {
      const { sealingKeys, sealingKeysFile } = ENVIRONMENT_VARIABLES
      throw new InvalidOptionError(`A database needs sealing keys: ${sealingKeys} or ${sealingKeysFile}.`, [
        sealingKeys,
      ])
    }
    const { url } = database
    serverOptions(url)
    return opened(new LazyTokenStore(() => openServer(url, clock)), keyRingOf(sealing, clock))
  }

  const file = database.file ?? DEFAULT_FILE
  refuseMemory(file)
  const keyRing = sealing === null ? embeddedKeyRing(file, clock) : keyRingOf(sealing, clock)
  const key = sealing === null ? `, sealed with ${keyFileOf(file)}` : ''
  announce(`shopify-tokens: tokens are kept in ${file}${key} (for one machine and a local disk).`)
  return opened(new LazyTokenStore(() => openEmbedded(file, clock)), keyRing)
}

/** @see openTokenManager */
export interface OpenedTokenManager {
  readonly tokens: TokenManager
  /** Resolves when the database has answered. Calling it is optional: the first token opens it too. */
  ready(): Promise<void>
  /** Closes the manager, then the connections. Rejects as `TokenManager.close` does, with the connections closed. */
  close(): Promise<void>
}

/** What the environment does not say of a manager. */
export type ManagerOverrides = Partial<
  Omit<TokenManagerOptions, 'clientId' | 'clientSecret' | 'previousClientSecret' | 'store' | 'sealing'>
>

/**
 * A token manager over the store that the environment names. Returns at once, as {@link openTokenStore} does.
 *
 * @param configuration Default: what `process.env` says.
 * @param overrides Options of the manager; `apiVersion`, `deploymentId` and `renewal` here win over the environment's.
 * @throws InvalidOptionError `ERR_INVALID_OPTION`, naming every variable or option at fault.
 */
export function openTokenManager(
  configuration: EnvironmentConfiguration = readEnvironment(process.env),
  overrides: ManagerOverrides & Pick<OpenTokenStoreOptions, 'announce'> = {},
): OpenedTokenManager {
  refuseUnread(configuration)
  const { announce, ...managerOptions } = overrides
  const { clientId, clientSecret, previousClientSecret, apiVersion, deploymentId, renewal } = configuration
  const opening = openTokenStore({ configuration, announce, clock: overrides.clock })
  const tokens = createTokenManager({
    ...managerOptions,
    apiVersion: managerOptions.apiVersion ?? apiVersion,
    deploymentId: managerOptions.deploymentId ?? deploymentId,
    renewal: managerOptions.renewal ?? renewal,
    clientId,
    clientSecret,
    previousClientSecret,
    store: opening.store,
    sealing: opening.keyRing,
  })
  return {
    tokens,
    ready: () => opening.ready(),
    async close() {
      try {
        await tokens.close()
      } finally {
        await opening.close()
      }
    },
  }
}

/**
 * Applies pending migrations to the database of `SHOPIFY_TOKENS_DATABASE_URL`, as a role that may create tables:
 *
 * ```sh
 * node -e "require('@shopify-tokens/typeorm-store/from-environment').migrateTokenDatabase().then(console.log)"
 * ```
 *
 * Run it when you deploy, before the new version starts. Applying nothing is fine, and so is running it twice. Needs
 * none of the app's secrets. Embedded files need it never.
 *
 * @param options `url`: another database than the environment names.
 * @returns the names of the migrations that were applied.
 * @throws InvalidOptionError `ERR_INVALID_OPTION` when there is no URL of a database server.
 * @throws StoreUnavailableError `ERR_STORE_UNAVAILABLE` when the database cannot be reached or refuses.
 */
export async function migrateTokenDatabase(
  options: { readonly url?: string | undefined; readonly clock?: Clock | undefined } = {},
): Promise<readonly string[]> {
  const { url = process.env.SHOPIFY_TOKENS_DATABASE_URL ?? '', clock = systemClock } = options
  const dataSource = await openDataSource(serverOptions(new Secret(url)), clock)
  try {
    return await migrate(dataSource, clock)
  } finally {
    await dataSource.destroy()
  }
}

async function openEmbedded(file: string, clock: Clock): Promise<OpenStore> {
  await prepareEmbeddedFile(file).catch((error: unknown) => {
    throw new StoreUnavailableError(`The token file cannot be made (${codeOf(error)}).`)
  })
  const dataSource = await openDataSource(embeddedOptions(file), clock)
  const close = (): Promise<void> => dataSource.destroy()
  try {
    await migrate(dataSource, clock)
    return { store: new TypeOrmTokenStore(dataSource, { clock }), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Whose rows are asked for to find out whether the tables are there. */
const NOBODY = 'are-the-tables-there'

async function openServer(url: Secret, clock: Clock): Promise<OpenStore> {
  const dataSource = await openDataSource(serverOptions(url), clock)
  const store = new TypeOrmTokenStore(dataSource, { clock })
  const close = (): Promise<void> => dataSource.destroy()
  try {
    await store.get({ clientId: NOBODY, shop: parseShop('example.myshopify.com') })
    await store.deployments.read(NOBODY)
    return { store, close }
  } catch (error) {
    await close()
    throw error
  }
}

function keyRingOf(sealing: NonNullable<StoreConfiguration['sealing']>, clock: Clock): KeyRing {
  return sealing.kind === 'keys' ? staticKeyRing(sealing.keys) : fileKeyRing(sealing.file, { clock })
}

/** The environment itself, say, or a URL that was not made a Secret. */
function refuseUnread(configuration: unknown): void {
  const { database } = (configuration ?? {}) as {
    readonly database?: { readonly kind?: unknown; readonly url?: unknown }
  }
  const isServer = database?.kind === 'server' && typeof (database.url as Partial<Secret> | null)?.reveal === 'function'
  if (!isServer && database?.kind !== 'embedded')
    throw invalidOption('configuration', 'what readEnvironment() returns', configuration)
}

const OPTION_NAMES: readonly string[] = ['configuration', 'announce', 'clock'] satisfies (keyof OpenTokenStoreOptions)[]

function refuseUnknown(options: object): void {
  const unknown = Object.keys(options).filter((name) => !OPTION_NAMES.includes(name))
  if (unknown.length === 0) return
  throw new InvalidOptionError(`openTokenStore does not know the option ${unknown.join(', ')}.`, unknown)
}

function refuseMemory(file: string): void {
  if (!file.includes(':memory:')) return
  throw new InvalidOptionError('A SQLite database in memory keeps nothing; name a file.', [
    ENVIRONMENT_VARIABLES.database,
  ])
}

function opened(store: LazyTokenStore, keyRing: KeyRing): OpenedTokenStore {
  return { store, keyRing, ready: () => store.ready(), close: () => store.close() }
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`)
}
