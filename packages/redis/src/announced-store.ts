import {
  type DeliveryLog,
  type DeploymentRegister,
  InvalidOptionError,
  invalidOption,
  type PutResult,
  type RecordKey,
  refuseUnknownOptions,
  type ScannedRow,
  type ScanQuery,
  type Snapshot,
  type TokenRecord,
  type TokenStore,
  type Version,
  type WriteWatch,
} from '@shopify-tokens/core'
import { Announcer } from './announcer.js'
import { Publisher, type RedisPublisher } from './publisher.js'
import { listen, parseSubscriber, type RedisSubscriber } from './subscription.js'

/** @see announcedStore */
export interface AnnouncedStoreOptions {
  /** Sends the announcements: a live client, cluster, sentinel or pool, which may serve other things too. */
  readonly publisher: RedisPublisher
  /** Hears them: a live client that serves nothing else but subscriptions. `publisher.duplicate()`, connected. */
  readonly subscriber: RedisSubscriber
  /** The same for all processes on one database. Default `shopify-tokens:writes`. */
  readonly channel?: string | undefined
  /**
   * Hears why announcements fail: the first failure in a row, and a subscription that Redis refuses. Lost connections
   * show themselves in the clients' own `error` events as well. Default: nobody hears.
   */
  readonly onError?: ((error: unknown) => void) | undefined
}

const OPTION_NAMES = ['publisher', 'subscriber', 'channel', 'onError'] satisfies (keyof AnnouncedStoreOptions)[]
const DEFAULT_CHANNEL = 'shopify-tokens:writes'

/**
 * Announces the writes of `store` to other processes, and theirs to this one, through Redis: the same store with a
 * `watch`. Records and tokens never reach Redis, only client id and shop of a row that was written.
 *
 * An announcement is sent after the write was acknowledged, and nobody waits for it. While Redis cannot be reached none
 * is sent, then or later; `isLive()` of a watch is false while the subscriber has no connection, and callers look at the
 * rows instead. A store that announces writes by itself goes on doing so.
 *
 * Uses live clients of the application and opens, closes and times nothing. Does no I/O.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for another client, one client for both, an unknown option, or an empty
 * channel.
 */
export function announcedStore(store: TokenStore, options: AnnouncedStoreOptions): TokenStore {
  return new AnnouncedStore(store, options)
}

class AnnouncedStore implements TokenStore {
  readonly deliveries: DeliveryLog | undefined
  readonly deployments: DeploymentRegister | undefined
  readonly #store: TokenStore
  readonly #announcer = new Announcer()
  readonly #publisher: Publisher
  readonly #subscriber: RedisSubscriber
  readonly #channel: string
  readonly #onError: (error: unknown) => void

  constructor(store: TokenStore, options: AnnouncedStoreOptions) {
    refuseUnknownOptions(options, OPTION_NAMES)
    this.#store = store
    this.deliveries = store.deliveries
    this.deployments = store.deployments
    this.#channel = parseChannel(options.channel)
    this.#onError = parseOnError(options.onError)
    this.#publisher = new Publisher(options.publisher, this.#channel, this.#onError)
    this.#subscriber = parseSubscriber(options.subscriber)
    if (Object.is(options.publisher, options.subscriber)) {
      throw new InvalidOptionError('Option subscriber must be another client than publisher: publisher.duplicate().', [
        'subscriber',
      ])
    }
  }

  get(key: RecordKey): Promise<Snapshot> {
    return this.#store.get(key)
  }

  async put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    const result = await this.#store.put(key, record, expected)
    if (result.outcome === 'written') this.#publisher.send(this.#announcer.messageOf(key))
    return result
  }

  scan(query: ScanQuery): AsyncIterable<ScannedRow> {
    return this.#store.scan(query)
  }

  ask(key: RecordKey): Promise<void> {
    return this.#store.ask(key)
  }

  watch(listener: (key: RecordKey) => void): WriteWatch {
    const here = listen(this.#subscriber, this.#channel, {
      hear: (message) => {
        const key = this.#announcer.keyIn(message)
        if (key !== null) listener(key)
      },
      refused: this.#onError,
    })
    const within = this.#store.watch?.(listener)
    if (within === undefined) return here
    return {
      isLive: () => here.isLive() || within.isLive(),
      close: async () => {
        await Promise.all([here.close(), within.close()])
      },
    }
  }
}

function parseChannel(channel: unknown = DEFAULT_CHANNEL): string {
  if (typeof channel === 'string' && channel !== '') return channel
  throw invalidOption('channel', 'a string that is not empty', channel)
}

function parseOnError(onError: ((error: unknown) => void) | undefined): (error: unknown) => void {
  if (onError === undefined) return () => undefined
  if (typeof onError !== 'function') throw invalidOption('onError', 'a function', onError)
  return (error) => {
    try {
      onError(error)
    } catch {
      // It would end the process, for nobody waits for an announcement.
    }
  }
}
