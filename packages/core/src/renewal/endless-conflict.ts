import { StoreUnavailableError } from '../errors.js'
import type { Shop } from '../shop.js'

/** So many conflicts in a row are no longer somebody else's writes, but a store that answers nothing else. */
export const MAX_CONFLICTS = 20

export function endlessConflict(shop?: Shop): StoreUnavailableError {
  return new StoreUnavailableError('The token store answers every write with a conflict.', { shop })
}
