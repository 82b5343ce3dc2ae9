import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { DeliveryKey, DeliveryLog, DeliveryState } from '@shopify-tokens/core'
import { CALLERS, type CheckedClause, together } from './clause.js'
import type { TokenStoreBench } from './token-store-bench.js'

const capability = 'deliveries'

/** Longer than any clause takes. */
const LONG_MS = 3_600_000
/** Over before the next call begins. */
const OVER_MS = 1
const PAUSE_MS = 20

/** The logs of both instances, and a key of this clause. */
function benchOf({ store, other, clientId }: TokenStoreBench): {
  readonly log: DeliveryLog
  readonly otherLog: DeliveryLog
  readonly delivery: DeliveryKey
} {
  return {
    log: store.deliveries ?? assert.fail('the store has no deliveries'),
    otherLog: other.deliveries ?? assert.fail('the other store has no deliveries'),
    delivery: { clientId, id: 'webhook:6f1a7a9a' },
  }
}

/** The claim of a delivery that must have been given out. */
function claimOf(state: DeliveryState): string {
  assert.equal(state.outcome, 'run', `the delivery was ${state.outcome}, and not given out`)
  return state.claim
}

async function assertOutcome(
  log: DeliveryLog,
  delivery: DeliveryKey,
  outcome: DeliveryState['outcome'],
): Promise<void> {
  assert.equal((await log.begin(delivery, LONG_MS)).outcome, outcome)
}

/** Claims the delivery for a moment and lets it pass: whoever claimed it has died. */
async function interrupt({ backend }: TokenStoreBench, log: DeliveryLog, delivery: DeliveryKey): Promise<string> {
  const claim = claimOf(await log.begin(delivery, OVER_MS))
  await (backend.elapse?.(PAUSE_MS) ?? delay(PAUSE_MS))
  return claim
}

/** Lets all callers begin together and asserts that one of them is to run; the others are told that somebody does. */
async function race(logs: readonly DeliveryLog[], delivery: DeliveryKey): Promise<string> {
  const states = await together((caller) => (logs[caller % logs.length] ?? assert.fail()).begin(delivery, LONG_MS))
  const claims = states.flatMap((state) => (state.outcome === 'run' ? [state.claim] : []))
  assert.equal(claims.length, 1, `${String(claims.length)} of ${String(CALLERS)} callers were told to run`)
  assert.equal(states.filter(({ outcome }) => outcome === 'running').length, CALLERS - 1)
  return claims[0] ?? assert.fail()
}

export const deliveryClauses: readonly CheckedClause<TokenStoreBench>[] = [
  {
    id: 'TS-32',
    title: 'gives a delivery out once, and says to all instances that it is running, and then that it is done',
    capability,
    async check(bench) {
      const { log, otherLog, delivery } = benchOf(bench)
      const claim = claimOf(await log.begin(delivery, LONG_MS))
      for (const each of [log, otherLog]) await assertOutcome(each, delivery, 'running')
      await log.finish(delivery, claim)
      for (const each of [log, otherLog]) await assertOutcome(each, delivery, 'done')
    },
  },
  {
    id: 'TS-33',
    title: 'keeps deliveries apart that differ in the client id, in the end of a long name, or in its case alone',
    capability,
    async check(bench) {
      const { log, delivery } = benchOf(bench)
      const { clientId } = delivery
      // Of the longest names there are, and of all their characters.
      const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('')
      const ids = ['webhook:a', 'webhook:A', 'webhook:b', visible, `${'x'.repeat(127)}1`, `${'x'.repeat(127)}2`]
      const keys = [...ids.map((id) => ({ clientId, id })), { clientId: clientId.toUpperCase(), id: 'webhook:a' }]
      for (const key of keys) {
        await log.finish(key, claimOf(await log.begin(key, LONG_MS)))
        await assertOutcome(log, key, 'done')
      }
    },
  },
  {
    id: 'TS-34',
    title: 'gives a delivery to exactly one of 50 callers, the first time and after an interrupted run',
    capability,
    async check(bench) {
      const { log, otherLog, delivery } = benchOf(bench)
      await race([log, otherLog], delivery)
      const interrupted = { ...delivery, id: 'webhook:interrupted' }
      const lost = await interrupt(bench, log, interrupted)
      assert.notEqual(await race([log, otherLog], interrupted), lost, 'a claim was given out twice')
    },
  },
  {
    id: 'TS-35',
    title: 'gives a delivery out again when its run was interrupted, and not while the lease holds',
    capability,
    async check(bench) {
      const { log, otherLog, delivery } = benchOf(bench)
      await interrupt(bench, log, delivery)
      claimOf(await otherLog.begin(delivery, LONG_MS))
      await assertOutcome(log, delivery, 'running')
    },
  },
  {
    id: 'TS-36',
    title: 'gives a delivery out at once when its run has given it back, and to nobody when the claim was overtaken',
    capability,
    async check(bench) {
      const { log, otherLog, delivery } = benchOf(bench)
      await log.release(delivery, claimOf(await log.begin(delivery, LONG_MS)))
      const overtaken = await interrupt(bench, otherLog, delivery)
      const present = claimOf(await log.begin(delivery, LONG_MS))
      await otherLog.release(delivery, overtaken)
      await assertOutcome(otherLog, delivery, 'running')
      await log.release(delivery, present)
      claimOf(await otherLog.begin(delivery, LONG_MS))
    },
  },
  {
    id: 'TS-37',
    title: 'counts a delivery as done for good once a run has finished it, one that was overtaken included',
    capability,
    async check(bench) {
      const { log, otherLog, delivery } = benchOf(bench)
      const overtaken = await interrupt(bench, log, delivery)
      const present = claimOf(await otherLog.begin(delivery, LONG_MS))
      await log.finish(delivery, overtaken)
      await assertOutcome(otherLog, delivery, 'done')
      // Neither the end nor the failure of the other run makes it undone.
      await otherLog.release(delivery, present)
      await assertOutcome(log, delivery, 'done')
      await otherLog.finish(delivery, present)
      await assertOutcome(log, delivery, 'done')
      // Nor does the end of the lease under which it was done.
      const late = { ...delivery, id: 'webhook:late' }
      await log.finish(late, await interrupt(bench, log, late))
      await assertOutcome(otherLog, late, 'done')
    },
  },
]
