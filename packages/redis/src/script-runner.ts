import { invalidOption } from '@shopify-tokens/core'
import { isIoRedis, isNodeRedis, isReachable, type RedisClient, unreachable } from './clients.js'

/** Runs a script that answers a number, on one key. Rejects at once while the client has no connection. */
export type RunScript = (script: string, key: string, ...values: readonly string[]) => Promise<number>

/**
 * Finds out once which client this is.
 *
 * A command given to a client without a connection would join its queue and be sent when Redis is back: it would take a
 * lock for somebody who has long gone on without. Therefore nothing is sent then.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for anything else.
 */
export function scriptRunner(client: RedisClient): RunScript {
  if (!isIoRedis(client) && !isNodeRedis(client)) {
    throw invalidOption('client', 'a client of ioredis 5 or 6, or of redis (node-redis) 5 or 6', client)
  }
  return async (script, key, ...values) => {
    if (!isReachable(client)) throw unreachable()
    const reply = isIoRedis(client)
      ? await client.eval(script, 1, key, ...values)
      : await client.eval(script, { keys: [key], arguments: [...values] })
    return numberOf(reply)
  }
}

/** Both clients can be told to answer numbers as strings. */
function numberOf(reply: unknown): number {
  const number = typeof reply === 'string' && /^-?\d+$/.test(reply) ? Number(reply) : reply
  if (typeof number === 'number' && Number.isInteger(number)) return number
  throw new Error(`Redis answered a script with ${typeof reply} instead of a whole number.`)
}
