// Listens for announcements, says so, and leaves everything open: nothing of it may keep a process alive.
import { tokenMigrations, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { DataSource } from 'typeorm'

const dataSource = await new DataSource({
  type: 'postgres',
  url: process.env.DATABASE_URL,
  poolSize: 2,
  migrations: tokenMigrations(),
  extra: { allowExitOnIdle: true },
}).initialize()
await dataSource.runMigrations()

const watch = new TypeOrmTokenStore(dataSource, { announceWrites: true }).watch(() => undefined)
const looking = setInterval(() => {
  if (!watch.isLive()) return
  process.stdout.write('live\n')
  clearInterval(looking)
}, 5)
