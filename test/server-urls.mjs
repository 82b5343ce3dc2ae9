/** Where the servers are: an environment variable each, or the default port of this machine. */
export function serverUrls(env = process.env) {
  return {
    PostgreSQL: env.SHOPIFY_TOKENS_TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres',
    MariaDB: env.SHOPIFY_TOKENS_TEST_MARIADB_URL ?? 'mysql://root@127.0.0.1:3306/test',
    Redis: env.SHOPIFY_TOKENS_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379',
  }
}
