import { EventEmitter } from 'node:events'
import { parseShop } from '@shopify-tokens/core'
import { tokenMigrations, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { DataSource } from 'typeorm'
import { createPostgresDatabase, describeWithServer } from '../servers.js'

const KEY = { clientId: 'app', shop: parseShop('acme.myshopify.com') }

describeWithServer('PostgreSQL', 'a connection that PostgreSQL ends as soon as it is made', () => {
  it('does not end the process, in a DataSource of the application either', async () => {
    const database = await createPostgresDatabase()
    const dataSource = new DataSource({ type: 'postgres', url: database.url, migrations: [...tokenMigrations()] })
    try {
      await dataSource.initialize()
      await dataSource.runMigrations()
      const { master: pool } = dataSource.driver as unknown as { readonly master: EventEmitter }
      const before = pool.listenerCount('connect')
      const store = new TypeOrmTokenStore(dataSource)
      for (let n = 0; n < 3; n++) await store.get(KEY)

      const client = new EventEmitter()
      pool.emit('connect', client)
      // An error event without a listener throws.
      expect(client.emit('error', new Error('terminating connection due to administrator command'))).toBe(true)
      expect(pool.listenerCount('connect')).toBe(before + 1)
    } finally {
      await dataSource.destroy()
      await database.drop()
    }
  })
})
