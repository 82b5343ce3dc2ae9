import { invalidOption, type WriteWatch } from '@shopify-tokens/core'
import { hasMethods, type IoRedisClient, isIoRedis, isNodeRedis, isReachable, type NodeRedisClient } from './clients.js'

interface Emitting {
  on(event: string, listener: (...values: string[]) => void): unknown
  off(event: string, listener: (...values: string[]) => void): unknown
}

interface IoRedisSubscriber extends IoRedisClient, Emitting {
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
}

interface NodeRedisSubscriber extends NodeRedisClient, Emitting {
  readonly isPubSubActive: boolean
  subscribe(channel: string, listener: (message: string) => unknown): Promise<unknown>
  unsubscribe(channel: string, listener: (message: string) => unknown): Promise<unknown>
}

/** A client of ioredis or node-redis with one connection of its own, to which the server can push. */
export type RedisSubscriber = IoRedisSubscriber | NodeRedisSubscriber

/** Who hears a channel. */
export interface ChannelListener {
  readonly hear: (message: string) => void
  /** Gets the error with which Redis refuses the subscription. */
  readonly refused: (error: unknown) => void
}

/** ioredis says `close`, node-redis `reconnecting` and `end`. */
const LOSSES = ['close', 'reconnecting', 'end']

/**
 * One client's subscription to one channel, shared by all who listen: an `UNSUBSCRIBE` for one would silence the others.
 * It asks whenever the client has a connection, so that nothing rests on what the client itself does after a loss.
 */
class Subscription {
  readonly #client: RedisSubscriber
  readonly #channel: string
  readonly #listeners = new Set<ChannelListener>()
  #isSubscribed = false

  constructor(client: RedisSubscriber, channel: string) {
    this.#client = client
    this.#channel = channel
    client.on('ready', this.#ask)
    for (const loss of LOSSES) client.on(loss, this.#lose)
    if (isIoRedis(client)) client.on('message', this.#hearFrom)
    if (isReachable(client)) this.#ask()
  }

  get isLive(): boolean {
    return this.#isSubscribed && isReachable(this.#client)
  }

  get isUnused(): boolean {
    return this.#listeners.size === 0
  }

  add(listener: ChannelListener): void {
    this.#listeners.add(listener)
  }

  remove(listener: ChannelListener): void {
    this.#listeners.delete(listener)
  }

  /** Not waited for: a Redis that hangs would hold up whoever is going, and nobody listens any more. */
  end(): void {
    const client = this.#client
    client.off('ready', this.#ask)
    for (const loss of LOSSES) client.off(loss, this.#lose)
    if (isIoRedis(client)) client.off('message', this.#hearFrom)
    this.#lose()
    if (isIoRedis(client) ? client.status === 'wait' : !client.isOpen) return
    const gone = isIoRedis(client) ? client.unsubscribe(this.#channel) : client.unsubscribe(this.#channel, this.#hear)
    gone.catch(() => undefined)
  }

  readonly #ask = (): void => {
    const client = this.#client
    const asked = isIoRedis(client) ? client.subscribe(this.#channel) : client.subscribe(this.#channel, this.#hear)
    asked.then(
      () => {
        this.#isSubscribed = !this.isUnused
      },
      (error: unknown) => {
        // A lost connection rejects too, and is asked anew.
        if (isReachable(client)) for (const { refused } of this.#listeners) refused(error)
      },
    )
  }

  readonly #lose = (): void => {
    this.#isSubscribed = false
  }

  readonly #hearFrom = (channel = '', message = ''): void => {
    if (channel === this.#channel) this.#hear(message)
  }

  readonly #hear = (message: string): void => {
    for (const { hear } of this.#listeners) hear(message)
  }
}

const subscriptions = new WeakMap<RedisSubscriber, Map<string, Subscription>>()

/** Listens until the answer is closed. Returns at once and never throws. */
export function listen(client: RedisSubscriber, channel: string, listener: ChannelListener): WriteWatch {
  const ofClient = subscriptions.get(client) ?? new Map<string, Subscription>()
  subscriptions.set(client, ofClient)
  const subscription = ofClient.get(channel) ?? new Subscription(client, channel)
  ofClient.set(channel, subscription)
  subscription.add(listener)
  let isClosed = false
  return {
    isLive: () => !isClosed && subscription.isLive,
    close() {
      if (!isClosed) subscription.remove(listener)
      if (!isClosed && subscription.isUnused) {
        ofClient.delete(channel)
        subscription.end()
      }
      isClosed = true
      return Promise.resolve()
    },
  }
}

/** @throws InvalidOptionError `ERR_INVALID_OPTION` for anything but a client with one connection of its own. */
export function parseSubscriber(client: RedisSubscriber): RedisSubscriber {
  const isOne = hasMethods(client, ['subscribe', 'unsubscribe', 'on', 'off'])
  if (isOne && isIoRedis(client) && !(client as { readonly isCluster?: boolean }).isCluster) return client
  if (isOne && isNodeRedis(client) && 'isPubSubActive' in client) return client
  throw invalidOption(
    'subscriber',
    'a client of ioredis 5 or 6, or of redis (node-redis) 5 or 6, and neither cluster, sentinel nor pool',
    client,
  )
}
