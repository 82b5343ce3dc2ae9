import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { type Held, isHeld, type Lease } from '@shopify-tokens/core'
import type { LockBackend, LockBench } from './lock-bench.js'
import { CALLERS, type CheckedClause, together } from './clause.js'

/** Long enough that nothing ends by accident, and never waited for. */
const LONG_MS = 60_000
/** Waited for, on real backends in real time. */
const SHORT_MS = 200
const POLL_MS = 20
const POLL_DEADLINE_MS = 5_000

function taken(answer: Lease | Held): Lease {
  assert.ok(!isHeld(answer), 'the lock was answered as held')
  return answer
}

function held(answer: Lease | Held): number {
  assert.ok(isHeld(answer), 'the lock was given out while it was held')
  return answer.heldForMs
}

function within(ms: number, limitMs: number): void {
  assert.ok(ms > 0 && ms <= limitMs, `${String(ms)} ms is not within a lease of ${String(limitMs)} ms`)
}

/** Lets a short lease end: backends round, so the last milliseconds are polled for. */
async function untilOver(backend: LockBackend, lease: Lease): Promise<void> {
  const elapse = backend.elapse?.bind(backend) ?? ((ms: number) => delay(ms))
  await elapse(SHORT_MS)
  for (let waitedMs = 0; (await lease.remainingMs()) > 0; waitedMs += POLL_MS) {
    assert.ok(waitedMs < POLL_DEADLINE_MS, 'the lease does not end')
    await elapse(POLL_MS)
  }
}

export const lockClauses: readonly CheckedClause<LockBench>[] = [
  {
    id: 'LK-01',
    title: 'gives out a free resource and tells how long the lease still holds',
    async check({ lock, resource }) {
      const lease = taken(await lock.tryAcquire(resource('free'), LONG_MS))
      within(await lease.remainingMs(), LONG_MS)
    },
  },
  {
    id: 'LK-02',
    title: 'answers at once, and tells how long, when somebody holds the resource',
    async check({ lock, other, resource }) {
      taken(await lock.tryAcquire(resource('held'), LONG_MS))
      within(held(await other.tryAcquire(resource('held'), SHORT_MS)), LONG_MS)
      within(held(await lock.tryAcquire(resource('held'), SHORT_MS)), LONG_MS)
    },
  },
  {
    id: 'LK-03',
    title: 'holds each resource for itself',
    async check({ lock, other, resource }) {
      taken(await lock.tryAcquire(resource('one'), LONG_MS))
      taken(await other.tryAcquire(resource('two'), LONG_MS))
      taken(await other.tryAcquire(resource('ONE'), LONG_MS))
    },
  },
  {
    id: 'LK-04',
    title: 'gives a free resource to exactly one of 50 callers',
    async check({ lock, other, resource }) {
      const answers = await together((caller) =>
        (caller % 2 === 0 ? lock : other).tryAcquire(resource('contended'), LONG_MS),
      )
      assert.equal(answers.filter(isHeld).length, CALLERS - 1)
    },
  },
  {
    id: 'LK-05',
    title: 'is free again once it has been released, and a second release does nothing',
    async check({ lock, other, resource }) {
      const first = taken(await lock.tryAcquire(resource('released'), LONG_MS))
      await first.release()
      assert.equal(await first.remainingMs(), 0)
      const second = taken(await other.tryAcquire(resource('released'), LONG_MS))
      await first.release()
      within(await second.remainingMs(), LONG_MS)
      within(held(await lock.tryAcquire(resource('released'), LONG_MS)), LONG_MS)
    },
  },
  {
    id: 'LK-06',
    title: 'is free again once the lease has ended',
    async check({ lock, other, resource, backend }) {
      const first = taken(await lock.tryAcquire(resource('ended'), SHORT_MS))
      await untilOver(backend, first)
      const second = taken(await other.tryAcquire(resource('ended'), LONG_MS))
      assert.equal(await first.remainingMs(), 0)
      within(await second.remainingMs(), LONG_MS)
    },
  },
  {
    id: 'LK-07',
    title: "leaves the next holder's lease alone when a former holder releases",
    async check({ lock, other, resource, backend }) {
      const former = taken(await lock.tryAcquire(resource('inherited'), SHORT_MS))
      await untilOver(backend, former)
      const present = taken(await lock.tryAcquire(resource('inherited'), LONG_MS))
      await former.release()
      within(await present.remainingMs(), LONG_MS)
      within(held(await other.tryAcquire(resource('inherited'), LONG_MS)), LONG_MS)
    },
  },
  {
    id: 'LK-08',
    title: "measures leases by the backend's clock, whatever the clock of a process says",
    needs: 'skewed',
    async check({ lock, resource, backend }) {
      const HOUR_MS = 3_600_000
      for (const offsetMs of [HOUR_MS, -HOUR_MS]) {
        const skewed = (await backend.skewed?.(offsetMs)) ?? assert.fail()
        const name = `skewed-${String(offsetMs)}`
        taken(await lock.tryAcquire(resource(name), LONG_MS))
        within(held(await skewed.tryAcquire(resource(name), LONG_MS)), LONG_MS)

        const lease = taken(await skewed.tryAcquire(resource(`${name}-own`), LONG_MS))
        within(await lease.remainingMs(), LONG_MS)
        within(held(await lock.tryAcquire(resource(`${name}-own`), LONG_MS)), LONG_MS)
      }
    },
  },
  {
    id: 'LK-09',
    title: 'gives a resource whose lease has ended to exactly one of 50 callers',
    async check({ lock, other, resource, backend }) {
      const former = taken(await lock.tryAcquire(resource('taken-over'), SHORT_MS))
      await untilOver(backend, former)
      const answers = await together((caller) =>
        (caller % 2 === 0 ? lock : other).tryAcquire(resource('taken-over'), LONG_MS),
      )
      assert.equal(answers.filter(isHeld).length, CALLERS - 1)
    },
  },
]
