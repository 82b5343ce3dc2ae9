import type { RedisPublisher, RedisSubscriber } from '@shopify-tokens/redis'
import { Redis } from 'ioredis6'
import { Redis as Redis5 } from 'ioredis5'
import { createClient } from 'redis6'
import { createClient as createClient5 } from 'redis5'

export interface OpenedClient {
  readonly client: RedisPublisher & RedisSubscriber
  /** Resolves when the client has noticed that its connection is gone. */
  disconnected(): Promise<unknown>
  close(): void
}

type Open = (url: string) => Promise<OpenedClient>

const ignore = (): void => undefined

async function openIoRedis(client: Redis | Redis5): Promise<OpenedClient> {
  client.on('error', ignore)
  await client.connect()
  const close = (): void => {
    client.disconnect()
  }
  return { client, disconnected: () => new Promise((resolve) => client.once('close', resolve)), close }
}

async function openNodeRedis(
  client: ReturnType<typeof createClient> | ReturnType<typeof createClient5>,
): Promise<OpenedClient> {
  client.on('error', ignore)
  await client.connect()
  const close = (): void => {
    client.destroy()
  }
  return { client, disconnected: () => new Promise((resolve) => client.once('reconnecting', resolve)), close }
}

/** Connected clients, one way to open each per supported version. */
export const clients: readonly (readonly [name: string, open: Open])[] = [
  ['ioredis 6', (url) => openIoRedis(new Redis(url, { lazyConnect: true }))],
  ['ioredis 5', (url) => openIoRedis(new Redis5(url, { lazyConnect: true }))],
  ['node-redis 6', (url) => openNodeRedis(createClient({ url }))],
  ['node-redis 5', (url) => openNodeRedis(createClient5({ url }))],
]
