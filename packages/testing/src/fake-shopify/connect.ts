import { CONTROL_PATH } from './addresses.js'
import type { Hold, HoldOptions } from './barrier.js'
import type { RemoteMethod } from './control-desk.js'
import { REMOTE_METHODS } from './control-desk.js'
import type { FakeShopify } from './fake-shopify.js'
import type { Fault, FaultOptions } from './fault.js'
import type { FaultHandle } from './fault-script.js'
import type { FakeEndpoint } from './request-log.js'
import { realFetch, routedFetch } from './route-fetch.js'

/** `T` with every method answering later, because another process carries it out. */
export type Remotely<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/** A {@link Hold} of a fake in another process. */
export type RemoteHold = Remotely<Omit<Hold, 'count'>> & { count(): Promise<number> }

/** A {@link FaultHandle} of a fake in another process. */
export type RemoteFaultHandle = Remotely<Omit<FaultHandle, 'struck'>> & { struck(): Promise<number> }

/** A fake Shopify that runs in another process: the same verbs, each a call over HTTP. */
export interface RemoteFakeShopify extends Remotely<Pick<FakeShopify, RemoteMethod>> {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  readonly faults: {
    next(shop: string, fault: Fault, options?: FaultOptions): Promise<RemoteFaultHandle>
    clear(shop?: string): Promise<void>
  }
  hold(endpoint: FakeEndpoint, options?: HoldOptions): Promise<RemoteHold>
  barrier(n: number, endpoint: FakeEndpoint, options?: HoldOptions): Promise<RemoteHold>
}

/**
 * Returns the controls of the fake Shopify at `url`, for tests whose app runs in other processes. Needs no closing. A
 * call rejects with the fake's own message when it refuses, and with fetch's error when the fake is gone.
 */
export function connectFakeShopify(url: string): RemoteFakeShopify {
  const real = realFetch()
  const call = async <R>(verb: string, ...args: unknown[]): Promise<R> => {
    const response = await real(url + CONTROL_PATH + verb, { method: 'POST', body: JSON.stringify(args) })
    const { result, error } = (await response.json()) as { result: R; error?: string }
    if (error !== undefined) throw new Error(error)
    return result
  }
  const methods = REMOTE_METHODS.map((name) => [name, (...args: unknown[]) => call(name, ...args)] as const)
  const holdOf = (id: number): RemoteHold => ({
    count: () => call('hold.count', id),
    arrived: (n = 1) => call('hold.arrived', id, n),
    release: () => call('hold.release', id),
  })
  return {
    ...(Object.fromEntries(methods) as unknown as Remotely<Pick<FakeShopify, RemoteMethod>>),
    url,
    fetch: routedFetch(url, real),
    hold: async (endpoint, options = {}) => holdOf(await call('hold', endpoint, options)),
    barrier: async (n, endpoint, options = {}) => holdOf(await call('barrier', n, endpoint, options)),
    faults: {
      next: async (shop, fault, options = {}) => {
        const id = await call<number>('faults.next', shop, fault, options)
        return {
          struck: () => call('fault.struck', id),
          untilStruck: (n = 1) => call('fault.untilStruck', id, n),
          release: () => call('fault.release', id),
          cancel: () => call('fault.cancel', id),
        }
      },
      clear: (shop) => call('faults.clear', shop ?? null),
    },
  }
}
