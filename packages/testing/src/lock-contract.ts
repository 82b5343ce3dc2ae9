import { randomUUID } from 'node:crypto'
import type { CheckedClause, Clause, ContractRunner } from './contract/clause.js'
import type { LockBackend, LockBench } from './contract/lock-bench.js'
import { lockClauses } from './contract/lock-clauses.js'

const CLAUSES: readonly CheckedClause<LockBench>[] = lockClauses

/** Every clause of the contract, in order, for documents and reports. */
export const lockContractClauses: readonly Clause[] = CLAUSES.map(({ id, title }) => ({ id, title }))

/**
 * Checks that an adapter keeps every promise of `Lock`: one test per clause, named by its id.
 *
 * ```ts
 * lockContract({ describe, it }, {
 *   name: 'MemoryLock',
 *   open: () => { const lock = new MemoryLock({ clock }); return { lock, other: lock } },
 *   elapse: (ms) => clock.advance(ms),
 * })
 * ```
 */
export function lockContract(runner: ContractRunner, backend: LockBackend): void {
  runner.describe(`${backend.name} keeps the Lock contract`, () => {
    for (const { id, title, needs, check } of CLAUSES) {
      if (needs !== undefined && !(needs in backend)) continue
      runner.it(`${id} ${title}`, async () => {
        const opened = await backend.open()
        const prefix = randomUUID()
        try {
          await check({ ...opened, resource: (name) => `${prefix}:${name}`, backend })
        } finally {
          await opened.close?.()
        }
      })
    }
  })
}
