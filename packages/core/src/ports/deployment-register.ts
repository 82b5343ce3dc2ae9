/**
 * Which deployment may renew an app's tokens. A copied database carries the name of the deployment that it was copied
 * from, and that is how the copy is known.
 */
export interface DeploymentRegister {
  /** The deployment on record for an app; `null`: none has been named yet. Rejects as {@link TokenStore.get} does. */
  read(clientId: string): Promise<string | null>
  /**
   * Compare-and-set: names `deployment` if `expected` is still the one on record (`null`: if there is none). Resolves
   * with whether it is written. A rejection means that the outcome is unknown.
   */
  write(clientId: string, deployment: string, expected: string | null): Promise<boolean>
}
