import { invalidOption } from '@shopify-tokens/core'

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

/** Runs a script that answers a number, on one key. Rejects at once while the client has no connection. */
export type RunScript = (script: string, key: string, ...values: readonly string[]) => Promise<number>

/** States of ioredis in which a command is sent, or opens the connection that it waits for. */
const REACHABLE: readonly string[] = ['ready', 'wait']

/**
 * Finds out once which client this is.
 *
 * A command given to a client without a connection would join its queue and be sent when Redis is back: it would take a
 * lock for somebody who has long gone on without. Therefore nothing is sent then.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for anything else.
 */
export function scriptRunner(client: IoRedisClient | NodeRedisClient): RunScript {
  if (isIoRedis(client)) {
    return async (script, key, ...values) => {
      if (!REACHABLE.includes(client.status)) throw unreachable()
      return numberOf(await client.eval(script, 1, key, ...values))
    }
  }
  if (isNodeRedis(client)) {
    return async (script, key, ...values) => {
      if (!(client.isReady ?? client.isOpen)) throw unreachable()
      return numberOf(await client.eval(script, { keys: [key], arguments: [...values] }))
    }
  }
  throw invalidOption('client', 'a client of ioredis 5 or 6, or of redis (node-redis) 5 or 6', client)
}

function isIoRedis(client: unknown): client is IoRedisClient {
  return hasMethods(client, ['eval', 'defineCommand']) && 'status' in client
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return hasMethods(client, ['eval', 'withTypeMapping']) && 'isOpen' in client
}

function hasMethods(client: unknown, names: readonly string[]): client is object {
  if (typeof client !== 'object' || client === null) return false
  return names.every((name) => typeof (client as Record<string, unknown>)[name] === 'function')
}

/** Both clients can be told to answer numbers as strings. */
function numberOf(reply: unknown): number {
  const number = typeof reply === 'string' && /^-?\d+$/.test(reply) ? Number(reply) : reply
  if (typeof number === 'number' && Number.isInteger(number)) return number
  throw new Error(`Redis answered a script with ${typeof reply} instead of a whole number.`)
}

function unreachable(): Error {
  return new Error('The Redis client has no connection.')
}
