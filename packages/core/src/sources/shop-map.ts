import { InvalidOptionError } from '../errors.js'
import { invalidOption } from '../option-checks.js'
import { parseShop, type Shop } from '../shop.js'

/**
 * Reads an object that says something of each shop. What a wrong key is stays unsaid: it may be a token that was put on
 * the wrong side.
 *
 * @param read reads what is said of a shop; throws when it is nothing that can be used
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function readShopMap<Value>(
  option: string,
  given: unknown,
  read: (shop: Shop, value: unknown) => Value,
): ReadonlyMap<Shop, Value> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidOption(option, 'an object with shop domains as keys', given)
  }
  const map = new Map<Shop, Value>()
  for (const [index, [key, value]] of Object.entries(given).entries()) {
    const shop = readKey(option, key, index + 1)
    if (map.has(shop)) throw new InvalidOptionError(`Option ${option} names ${shop} twice.`, [option])
    map.set(shop, read(shop, value))
  }
  return map
}

function readKey(option: string, key: string, position: number): Shop {
  try {
    return parseShop(key)
  } catch {
    const message = `Option ${option}: key ${String(position)} is no shop domain such as example.myshopify.com.`
    throw new InvalidOptionError(message, [option])
  }
}
