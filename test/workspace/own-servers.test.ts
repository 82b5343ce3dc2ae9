import { Redis } from 'ioredis6'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import {
  describeWithOwnServers,
  missingPrograms,
  type OwnServer,
  startMariaDb,
  startPostgres,
  startRedis,
} from '../own-servers.js'

const LONG = 60_000

const query: Readonly<Record<'PostgreSQL' | 'MariaDB', (url: string, statement: string) => Promise<unknown>>> = {
  async PostgreSQL(url, statement) {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      const { rows } = await client.query<Record<string, unknown>>(statement)
      return rows
    } finally {
      await client.end()
    }
  },
  async MariaDB(url, statement) {
    const connection = await createConnection(url)
    try {
      return (await connection.query(statement))[0]
    } finally {
      await connection.end()
    }
  },
}

describe.each([
  ['PostgreSQL', startPostgres],
  ['MariaDB', startMariaDb],
] as const)('an own %s', (name, start) => {
  describeWithOwnServers([name], 'that is started', () => {
    let server: OwnServer

    beforeAll(async () => {
      server = await start()
      await query[name](server.url, 'CREATE TABLE kept (id int)')
    }, LONG)

    afterAll(() => server.stop())

    it.each(['fast', 'immediate'] as const)(
      'keeps its address and its data over a restart (%s)',
      async (ending) => {
        const [before] = (await query[name](server.url, 'SELECT count(*) AS n FROM kept')) as { n: unknown }[]
        await query[name](server.url, 'INSERT INTO kept VALUES (1)')
        await server.restart(ending)
        const [after] = (await query[name](server.url, 'SELECT count(*) AS n FROM kept')) as { n: unknown }[]
        expect(Number(after?.n)).toBe(Number(before?.n) + 1)
      },
      LONG,
    )

    it(
      'refuses connections while it is halted',
      async () => {
        await server.halt('immediate')
        await expect(query[name](server.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
        await server.resume()
        await expect(query[name](server.url, 'SELECT 1')).resolves.toHaveLength(1)
      },
      LONG,
    )
  })
})

describeWithOwnServers(['Redis'], 'an own Redis', () => {
  it(
    'keeps its address over a restart and forgets everything',
    async () => {
      const server = await startRedis()
      const client = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: 250 })
      client.on('error', () => undefined)
      await client.set('key', 'value')
      await server.restart('immediate')
      expect(await client.get('key')).toBeNull()
      client.disconnect()
      await server.stop()
    },
    LONG,
  )
})

describe('a server that this machine lacks', () => {
  const path = process.env.PATH

  afterEach(() => {
    process.env.PATH = path
  })

  it('is told by the names of its programs', () => {
    process.env.PATH = '/nonexistent'
    expect(missingPrograms('Redis')).toEqual(['redis-server'])
  })
})
