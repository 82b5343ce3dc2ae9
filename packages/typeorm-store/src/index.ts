export { type MigrationClass, tokenMigrations } from './migrations/create-tokens.js'
export type { DatabaseType } from './table.js'
export { tokenEntity, type TokenRow } from './token-entity.js'
export { TypeOrmTokenStore, type TypeOrmTokenStoreOptions } from './typeorm-token-store.js'
