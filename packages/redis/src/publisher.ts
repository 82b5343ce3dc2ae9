import { invalidOption } from '@shopify-tokens/core'
import {
  hasMethods,
  type IoRedisClient,
  isIoRedis,
  isNodeRedis,
  isReachable,
  type NodeRedisClient,
  unreachable,
} from './clients.js'

interface Publishing {
  publish(channel: string, message: string): Promise<unknown>
}

/** A client or cluster of ioredis, or a client, cluster, sentinel or pool of node-redis. */
export type RedisPublisher = (IoRedisClient | NodeRedisClient) & Publishing

/** How many messages may be without an answer: a Redis that hangs must not fill the memory. */
const MAX_UNANSWERED = 1_000

/** Sends messages that nobody waits for. */
export class Publisher {
  readonly #client: RedisPublisher
  readonly #channel: string
  readonly #onError: (error: unknown) => void
  #unanswered = 0
  #isFailing = false

  /**
   * @param onError Hears of the first failure in a row.
   * @throws InvalidOptionError `ERR_INVALID_OPTION` for anything but a client.
   */
  constructor(client: RedisPublisher, channel: string, onError: (error: unknown) => void) {
    if (!(isIoRedis(client) || isNodeRedis(client)) || !hasMethods(client, ['publish'])) {
      throw invalidOption('publisher', 'a client of ioredis 5 or 6, or of redis (node-redis) 5 or 6', client)
    }
    this.#client = client
    this.#channel = channel
    this.#onError = onError
  }

  /** Returns at once and never throws. While the client has no connection nothing is sent, now or later. */
  send(message: string): void {
    this.#sent(message).then(
      () => {
        this.#isFailing = false
      },
      (error: unknown) => {
        if (!this.#isFailing) this.#onError(error)
        this.#isFailing = true
      },
    )
  }

  async #sent(message: string): Promise<void> {
    if (!isReachable(this.#client)) throw unreachable()
    if (this.#unanswered >= MAX_UNANSWERED) throw new Error('Redis answers no more announcements.')
    this.#unanswered += 1
    try {
      await this.#client.publish(this.#channel, message)
    } finally {
      this.#unanswered -= 1
    }
  }
}
