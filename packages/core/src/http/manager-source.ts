import type { TokenManager } from '../token-manager.js'

/** A manager, or how to get it once it is open: asked for with every request that needs it. */
export type ManagerSource = TokenManager | (() => TokenManager | Promise<TokenManager>)

/** The manager itself. Rejects with the reason why it cannot be had. */
export async function managerOf(source: ManagerSource): Promise<TokenManager> {
  return typeof source === 'function' ? source() : source
}
