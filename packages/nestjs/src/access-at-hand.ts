import { AsyncLocalStorage } from 'node:async_hooks'
import { NoContextError, type RequestAccess, runInShop } from '@shopify-tokens/core'

const atHand = new AsyncLocalStorage<RequestAccess>()

/** Runs `work` with `access` for the parameter decorators, and its shop for `currentShop()`. */
export function runWithAccess<Result>(access: RequestAccess, work: () => Result): Result {
  return atHand.run(access, () => runInShop(access.client, work))
}

/** @throws NoContextError `ERR_NO_CONTEXT` where the interceptor has not run. */
export function accessAtHand(): RequestAccess {
  const access = atHand.getStore()
  if (access === undefined) throw new NoContextError()
  return access
}
