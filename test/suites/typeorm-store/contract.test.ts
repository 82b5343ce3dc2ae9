import { type Clock, type RecordKey, systemClock } from '@shopify-tokens/core'
import { type TokenStoreBackend, tokenStoreContract } from '@shopify-tokens/testing'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import type { DataSource } from 'typeorm'
import { onEveryDatabase } from './backends.js'

const wrongClock: Clock = { ...systemClock, now: () => Date.now() + 3_600_000 }

class RolledBack extends Error {}

onEveryDatabase((backend, type) => {
  let app: DataSource
  let otherApp: DataSource
  beforeAll(async () => {
    app = await backend().open()
    otherApp = await backend().open()
  })

  const onRow = async (sql: string, key: RecordKey): Promise<void> => {
    await backend().owner.query(sql.replace('KEY', `client_id = '${key.clientId}' AND shop = '${key.shop}'`))
  }

  const hooksOf = (announceWrites: boolean): TokenStoreBackend => ({
    name: announceWrites ? 'TypeOrmTokenStore that announces writes' : 'TypeOrmTokenStore',
    capabilities: announceWrites ? ['watch', 'deployments', 'deliveries'] : ['deployments', 'deliveries'],
    open: () => ({
      store: new TypeOrmTokenStore(app, { timeoutMs: 2_000, announceWrites }),
      other: new TypeOrmTokenStore(otherApp, {
        announceWrites,
        clock: type === 'better-sqlite3' ? systemClock : wrongClock,
      }),
    }),
    async rollbackAround(work) {
      const transaction = app.transaction(async (manager) => {
        await manager.query('SELECT 1')
        await work()
        throw new RolledBack()
      })
      await expect(transaction).rejects.toThrow(RolledBack)
    },
    async stallAround(key, work) {
      const runner = backend().owner.createQueryRunner()
      await runner.query(backend().type === 'better-sqlite3' ? 'BEGIN IMMEDIATE' : 'START TRANSACTION')
      await runner.query(`UPDATE shopify_tokens SET format = format WHERE shop = '${key.shop}'`)
      try {
        await work()
      } finally {
        await runner.query('ROLLBACK')
        await runner.release()
      }
    },
    erase: (key) => onRow('DELETE FROM shopify_tokens WHERE KEY', key),
    newerFormat: (key) => onRow('UPDATE shopify_tokens SET format = 2 WHERE KEY', key),
  })
  const patientIt = (title: string, body: () => Promise<void>): void => {
    it(title, body, 30_000)
  }
  tokenStoreContract({ describe, it: patientIt }, hooksOf(false))
  if (type === 'postgres') tokenStoreContract({ describe, it: patientIt }, hooksOf(true))
})
