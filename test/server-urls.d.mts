export type ServerName = 'PostgreSQL' | 'MariaDB' | 'Redis'
/** Where the servers are: an environment variable each, or the default port of this machine. */
export function serverUrls(env?: NodeJS.ProcessEnv): Record<ServerName, string>
