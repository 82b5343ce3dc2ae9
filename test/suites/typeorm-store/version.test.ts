import { DataSource } from 'typeorm'
import { versionOf } from '../../matrix/resolved-version.js'

it('runs on the TypeORM version that this project asks for', async () => {
  const version = versionOf(require.resolve('typeorm'), 'typeorm')
  process.stdout.write(`${MATRIX.project}: typeorm ${version}\n`)
  expect(version).toBe(MATRIX.versions.typeorm)

  const dataSource = await new DataSource({ type: 'better-sqlite3', database: ':memory:' }).initialize()
  expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await dataSource.destroy()
})
