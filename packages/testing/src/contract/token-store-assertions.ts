import assert from 'node:assert/strict'
import type { PutResult, RecordKey, Snapshot, TokenRecord, TokenStore, Version } from '@shopify-tokens/core'

/** The version of a write that must have happened. */
export function written(result: PutResult): Version {
  assert.equal(result.outcome, 'written', 'the put was answered as a conflict')
  return result.version
}

/** The present row of a put that must have lost. */
export function conflicting(result: PutResult): Snapshot {
  assert.equal(result.outcome, 'conflict', 'the put was answered as written')
  return result.present
}

/** Asserts that two values hold the same. Compares copies: test runners such as jest clone into another realm. */
export function assertSame(actual: unknown, expected: unknown): void {
  assert.deepEqual(copyOf(actual), copyOf(expected))
}

/** Asserts what is stored, and gives the row. */
export async function assertStored(store: TokenStore, key: RecordKey, record: TokenRecord): Promise<Snapshot> {
  const snapshot = await store.get(key)
  assertSame(snapshot.record, record)
  return snapshot
}

/** Asserts that a call rejects with this code of ours, for this shop if one is given. */
export async function assertRejects(call: Promise<unknown>, code: string, shop?: string): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    const seen = error as { readonly code?: unknown; readonly shop?: unknown }
    assert.equal(seen.code, code)
    if (shop !== undefined) assert.equal(seen.shop, shop)
    return true
  })
}

/** A copy that shares nothing with its original. */
export function copyOf<Value>(value: Value): Value {
  return structuredClone(value)
}
