/** What is used of a client or cluster of ioredis 5 or 6. */
export interface IoRedisClient {
  readonly status: string
  defineCommand(name: string, definition: { lua: string }): void
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** What is used of a client, cluster, sentinel or pool of node-redis 5 or 6. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  /** Clusters and pools have none. */
  readonly isReady?: boolean | undefined
  withTypeMapping(typeMapping: object): unknown
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** Any of them. */
export type RedisClient = IoRedisClient | NodeRedisClient

/** States of ioredis in which a command is sent, or opens the connection that it waits for. */
const REACHABLE: readonly string[] = ['ready', 'wait']

/** Whether a command is sent at once. Otherwise it would join a queue, and be sent when Redis is back. */
export function isReachable(client: RedisClient): boolean {
  return isIoRedis(client) ? REACHABLE.includes(client.status) : (client.isReady ?? client.isOpen)
}

export function isIoRedis(client: unknown): client is IoRedisClient {
  return hasMethods(client, ['eval', 'defineCommand']) && 'status' in client
}

export function isNodeRedis(client: unknown): client is NodeRedisClient {
  return hasMethods(client, ['eval', 'withTypeMapping']) && 'isOpen' in client
}

export function hasMethods(client: unknown, names: readonly string[]): client is object {
  if (typeof client !== 'object' || client === null) return false
  return names.every((name) => typeof (client as Record<string, unknown>)[name] === 'function')
}

export function unreachable(): Error {
  return new Error('The Redis client has no connection.')
}
