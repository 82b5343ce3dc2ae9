import { randomUUID } from 'node:crypto'
import { parseShop, type RecordKey } from '@shopify-tokens/core'
import type { CheckedClause, Clause, ContractRunner } from './contract/clause.js'
import { backendClauses } from './contract/token-store-backend.js'
import type { TokenStoreBackend, TokenStoreBench } from './contract/token-store-bench.js'
import { compareAndSetClauses } from './contract/token-store-compare-and-set.js'
import { deliveryClauses } from './contract/token-store-deliveries.js'
import { deploymentClauses } from './contract/token-store-deployments.js'
import { recordClauses } from './contract/token-store-records.js'
import { scanClauses } from './contract/token-store-scan.js'
import { sweepClauses } from './contract/token-store-sweep.js'
import { watchClauses } from './contract/token-store-watch.js'

const CLAUSES: readonly CheckedClause<TokenStoreBench>[] = [
  ...recordClauses,
  ...compareAndSetClauses,
  ...backendClauses,
  ...scanClauses,
  ...watchClauses,
  ...deploymentClauses,
  ...deliveryClauses,
  ...sweepClauses,
]

/** Every clause of the contract, in order, for documents and reports. */
export const tokenStoreClauses: readonly Clause[] = CLAUSES.map(({ id, title }) => ({ id, title }))

/**
 * Checks that an adapter keeps every promise of `TokenStore`: one test per clause, named by its id.
 *
 * ```ts
 * tokenStoreContract({ describe, it }, {
 *   name: 'MemoryTokenStore',
 *   open: () => { const store = new MemoryTokenStore(); return { store, other: store } },
 * })
 * ```
 */
export function tokenStoreContract(runner: ContractRunner, backend: TokenStoreBackend): void {
  runner.describe(`${backend.name} keeps the TokenStore contract`, () => {
    const capabilities: readonly string[] = backend.capabilities ?? []
    for (const { id, title, needs, capability, check } of CLAUSES) {
      if (needs !== undefined && !(needs in backend)) continue
      if (capability !== undefined && !capabilities.includes(capability)) continue
      runner.it(`${id} ${title}`, async () => {
        const opened = await backend.open()
        const clientId = `contract-${randomUUID()}`
        const key = (name: string): RecordKey => ({ clientId, shop: parseShop(`${name}.myshopify.com`) })
        try {
          await check({ ...opened, clientId, key, backend })
        } finally {
          await opened.close?.()
        }
      })
    }
  })
}
