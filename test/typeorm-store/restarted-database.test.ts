import type { Snapshot, TokenStore } from '@shopify-tokens/core'
import { aKey, aRecord } from '@shopify-tokens/testing'
import { tokenMigrations, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { DataSource } from 'typeorm'
import { describeWithOwnServers, type Ending, type OwnServer, startMariaDb, startPostgres } from '../own-servers.js'

jest.setTimeout(120_000)

const POOL_SIZE = 4

function suiteOn(type: 'postgres' | 'mariadb', start: () => Promise<OwnServer>): void {
  let server: OwnServer
  let dataSource: DataSource
  let store: TokenStore
  beforeAll(async () => {
    server = await start()
    const { url } = server
    dataSource = await new DataSource({
      type,
      url,
      poolSize: POOL_SIZE,
      migrations: tokenMigrations(),
    }).initialize()
    await dataSource.runMigrations()
    store = new TypeOrmTokenStore(dataSource)
  })
  afterAll(async () => {
    await dataSource.destroy()
    await server.stop()
  })

  it.each<Ending>(['fast', 'immediate'])('is read at the second try at the latest (%s)', async (ending) => {
    const key = aKey()
    await store.put(key, aRecord.expiring(), 'absent')
    const read = (): Promise<Snapshot> => store.get(key)
    const allAtOnce = (): Promise<Snapshot[]> =>
      Promise.all(Array.from({ length: POOL_SIZE }, () => read().catch(read)))
    // Every connection of the pool is there, and idle.
    await allAtOnce()
    await server.restart(ending)

    for (const { revision } of await allAtOnce()) expect(revision).toBe(1)
    for (let reads = 0; reads < POOL_SIZE; reads += 1) expect((await read()).revision).toBe(1)
  })

  it('is read and written again after every restart', async () => {
    const key = aKey()
    for (let round = 1; round <= 2; round += 1) {
      const { version } = await store.get(key).catch(() => store.get(key))
      expect(await store.put(key, aRecord.expiring(), version)).toMatchObject({ outcome: 'written', revision: round })
      await server.restart('fast')
    }
  })
}

describeWithOwnServers(['PostgreSQL'], 'a PostgreSQL that was restarted', () => {
  suiteOn('postgres', startPostgres)
})

describeWithOwnServers(['MariaDB'], 'a MariaDB that was restarted', () => {
  suiteOn('mariadb', startMariaDb)
})
