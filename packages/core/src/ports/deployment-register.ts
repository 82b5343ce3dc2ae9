/** How a deployment may be named. */
export const DEPLOYMENT_ID = /^[A-Za-z0-9._-]{1,64}$/
export const DEPLOYMENT_ID_RULE = 'a name of 1 to 64 characters of A-Z a-z 0-9 . _ -'

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
