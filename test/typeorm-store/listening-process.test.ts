import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createPostgresDatabase, describeWithServer } from '../servers.js'

describeWithServer('PostgreSQL', 'a process that listens for announcements', () => {
  it('ends by itself when it has nothing else to do', async () => {
    const database = await createPostgresDatabase()
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, 'listening-process.mjs')], {
        env: { ...process.env, DATABASE_URL: database.url },
        timeout: 60_000,
      })
      expect(stdout).toBe('live\n')
    } finally {
      await database.drop()
    }
  }, 70_000)
})
