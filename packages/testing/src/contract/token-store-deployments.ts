import assert from 'node:assert/strict'
import type { DeploymentRegister } from '@shopify-tokens/core'
import { CALLERS, type CheckedClause, together } from './clause.js'
import type { TokenStoreBench } from './token-store-bench.js'

const capability = 'deployments'

/** The registers of both instances. */
function registers({ store, other }: TokenStoreBench): [DeploymentRegister, DeploymentRegister] {
  return [
    store.deployments ?? assert.fail('the store has no deployments'),
    other.deployments ?? assert.fail('the other store has no deployments'),
  ]
}

/** Runs all callers against one expected name and asserts that its one winner's is on record. */
async function race(bench: TokenStoreBench, expected: string | null): Promise<string> {
  const both = registers(bench)
  const nameOf = (caller: number): string => `after-${expected ?? 'nobody'}-${String(caller)}`
  const written = await together((caller) =>
    (both[caller % 2] ?? assert.fail()).write(bench.clientId, nameOf(caller), expected),
  )
  const winners = written.flatMap((isWritten, caller) => (isWritten ? [nameOf(caller)] : []))
  assert.equal(winners.length, 1, `${String(winners.length)} of ${String(CALLERS)} callers were answered "written"`)
  const [winner = assert.fail()] = winners
  for (const register of both) assert.equal(await register.read(bench.clientId), winner)
  return winner
}

export const deploymentClauses: readonly CheckedClause<TokenStoreBench>[] = [
  {
    id: 'TS-28',
    title: 'has no deployment on record at first, and reads at once the one that another instance was told is written',
    capability,
    async check(bench) {
      const [register, other] = registers(bench)
      const { clientId } = bench
      assert.equal(await register.read(clientId), null)
      // The longest name there is, and all its characters.
      const names = ['production', `A-Z_a.z-0.9${'x'.repeat(53)}`, 'production']
      let expected: string | null = null
      for (const name of names) {
        assert.equal(await register.write(clientId, name, expected), true)
        assert.equal(await other.read(clientId), name)
        expected = name
      }
    },
  },
  {
    id: 'TS-29',
    title: 'names a deployment only if the expected one is on record',
    capability,
    async check(bench) {
      const [register, other] = registers(bench)
      const { clientId } = bench
      assert.equal(await register.write(clientId, 'copy', 'production'), false)
      assert.equal(await register.read(clientId), null)

      assert.equal(await register.write(clientId, 'production', null), true)
      for (const expected of [null, 'copy', 'Production', 'production2', 'productio']) {
        assert.equal(await other.write(clientId, 'copy', expected), false)
        assert.equal(await register.read(clientId), 'production')
      }
      assert.equal(await other.write(clientId, 'production', 'production'), true)
      assert.equal(await register.read(clientId), 'production')
    },
  },
  {
    id: 'TS-30',
    title: 'keeps the deployments of client ids apart that differ in their case alone',
    capability,
    async check(bench) {
      const [register] = registers(bench)
      const clientIds = [bench.clientId, bench.clientId.toUpperCase(), `${bench.clientId}1`]
      for (const clientId of clientIds) assert.equal(await register.write(clientId, `of-${clientId}`, null), true)
      for (const clientId of clientIds) assert.equal(await register.read(clientId), `of-${clientId}`)
    },
  },
  {
    id: 'TS-31',
    title: 'names a deployment for exactly one of 50 callers, the first time and later',
    capability,
    async check(bench) {
      await race(bench, await race(bench, null))
    },
  },
]
