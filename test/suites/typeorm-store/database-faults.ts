import type { Backend } from './backends.js'

/** From now on the database refuses rows minted for a rejected token, in an error that repeats the row where it can. */
export async function refuseMintedForRejected({ type, owner }: Backend): Promise<void> {
  if (type === 'better-sqlite3') {
    await owner.query(
      `CREATE TRIGGER refuse BEFORE INSERT ON shopify_tokens WHEN new.minted_for_rejected
       BEGIN SELECT RAISE(ABORT, 'refused'); END`,
    )
  } else {
    await owner.query(
      'ALTER TABLE shopify_tokens ADD CONSTRAINT refuse CHECK (NOT coalesce(minted_for_rejected, false))',
    )
  }
}

/** Makes the first update of the next connection fail in this way; answers how to stop it. */
export async function failFirstUpdate(
  { type, owner }: Backend,
  failure: 'deadlock' | 'lock wait',
): Promise<() => Promise<void>> {
  if (type === 'postgres') {
    const state = failure === 'deadlock' ? '40P01' : '55P03'
    await owner.query('CREATE SEQUENCE tried')
    await owner.query('GRANT USAGE ON SEQUENCE tried TO PUBLIC')
    await owner.query(
      `CREATE FUNCTION fail() RETURNS trigger AS $$ BEGIN
         IF nextval('tried') = 1 THEN RAISE EXCEPTION 'as told' USING ERRCODE = '${state}'; END IF;
         RETURN new;
       END $$ LANGUAGE plpgsql`,
    )
    await owner.query('CREATE TRIGGER fail BEFORE UPDATE ON shopify_tokens FOR EACH ROW EXECUTE FUNCTION fail()')
    return async () => {
      await owner.query('DROP FUNCTION fail CASCADE')
      await owner.query('DROP SEQUENCE tried')
    }
  }
  const errno = failure === 'deadlock' ? 1213 : 1205
  await owner.query(
    `CREATE TRIGGER fail BEFORE UPDATE ON shopify_tokens FOR EACH ROW BEGIN
       IF @tried IS NULL THEN
         SET @tried = 1;
         SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = 'as told';
       END IF;
     END`,
  )
  return async () => {
    await owner.query('DROP TRIGGER fail')
  }
}

/** Ends every connection of the app from the server's side, as a restart does. */
export async function cutConnections({ type, owner }: Backend): Promise<void> {
  if (type === 'postgres') {
    await owner.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename <> user',
    )
    return
  }
  const connections = await owner.query<{ id: number }[]>(
    "SELECT id FROM information_schema.processlist WHERE db = database() AND user LIKE 'tokens_%'",
  )
  for (const { id } of connections) await owner.query(`KILL ${id}`)
}

/** Resolves once a statement of the app waits for a lock that somebody else holds. */
export async function untilWaiting({ type, owner }: Backend): Promise<void> {
  const waiting =
    type === 'postgres'
      ? "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
      : "SELECT 1 FROM information_schema.processlist WHERE db = database() AND command = 'Execute' AND state = 'Updating'"
  while ((await owner.query<unknown[]>(waiting)).length === 0);
}
