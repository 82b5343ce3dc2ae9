import { runOnPostgres } from '../servers.js'

/**
 * From now on each write of a new pair fails in the database at `url`, after PostgreSQL has carried it out; an attempt,
 * which leaves the pair as it is, is written. Answers with how to end that; doing so twice does no harm.
 */
export async function failPairWrites(url: string): Promise<() => Promise<void>> {
  await runOnPostgres(
    url,
    `CREATE FUNCTION fail() RETURNS trigger AS $$ BEGIN
       RAISE EXCEPTION 'as told' USING ERRCODE = 'disk_full';
     END $$ LANGUAGE plpgsql;
     CREATE TRIGGER fail AFTER UPDATE ON shopify_tokens FOR EACH ROW
       WHEN (old.obtained_at IS DISTINCT FROM new.obtained_at) EXECUTE FUNCTION fail();`,
  )
  return () => runOnPostgres(url, 'DROP FUNCTION IF EXISTS fail CASCADE')
}
