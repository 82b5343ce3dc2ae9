import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { createMariaDbDatabase, createPostgresDatabase, describeWithServer } from '../servers.js'

describeWithServer('PostgreSQL', 'a PostgreSQL database of its own', () => {
  it('is empty, takes a table and goes away while a client is still connected', async () => {
    const database = await createPostgresDatabase()
    const client = new Client({ connectionString: database.url })
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    client.on('error', () => undefined)
    await client.connect()
    await client.query('CREATE TABLE one (id int)')
    const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    expect(rows).toEqual([{ tablename: 'one' }])
    await database.drop()
    await ended
    const late = new Client({ connectionString: database.url })
    await expect(late.connect()).rejects.toMatchObject({ code: '3D000' })
  })
})

describeWithServer('MariaDB', 'a MariaDB database of its own', () => {
  it('is empty, takes a table and goes away', async () => {
    const database = await createMariaDbDatabase()
    const connection = await createConnection(database.url)
    await connection.query('CREATE TABLE one (id int)')
    const [tables] = await connection.query('SHOW TABLES')
    expect(tables).toHaveLength(1)
    await connection.end()
    await database.drop()
    await expect(createConnection(database.url)).rejects.toMatchObject({ code: 'ER_BAD_DB_ERROR' })
  })
})
