import type { ShopName } from './world.js'

/** Index of a process. */
export type ProcessIndex = 0 | 1 | 2

/** What a merchant, an operator or the app does. */
export interface Action {
  readonly kind:
    | 'request'
    | 'visit'
    | 'acquire'
    | 'force'
    | 'migrate'
    | 'sweep'
    | 'restore'
    | 'install'
    | 'uninstall'
    | 'webhook'
    | 'remove'
  readonly worker: ProcessIndex
  readonly shop: ShopName
  /** How long after the step has begun. */
  readonly afterMs: number
}

/** A request that needs a token. */
export const request = (worker: ProcessIndex, shop: ShopName, afterMs = 0): Action =>
  act('request', worker, shop, afterMs)

/** A request with the merchant's session token. */
export const visit = (worker: ProcessIndex, shop: ShopName, afterMs = 0): Action => act('visit', worker, shop, afterMs)

/** An acquisition although the pair may live. */
export const acquire = (worker: ProcessIndex, shop: ShopName, afterMs = 0): Action =>
  act('acquire', worker, shop, afterMs)

/** An operator's renewal. */
export const force = (worker: ProcessIndex, shop: ShopName, afterMs = 0): Action => act('force', worker, shop, afterMs)

/** An operator has the shop's non-expiring token exchanged, if that is what it has. */
export const migrate = (worker: ProcessIndex, shop: ShopName, afterMs = 0): Action =>
  act('migrate', worker, shop, afterMs)

/** A cron job renews whatever is due. */
export const sweep = (worker: ProcessIndex, shop: ShopName, afterMs = 0): Action => act('sweep', worker, shop, afterMs)

/** An operator puts a non-expiring token into the row of an installed shop, from before there were others. */
export const restore = (shop: ShopName, afterMs = 0): Action => act('restore', 0, shop, afterMs)

/** The app is installed at Shopify, for the first time or again. */
export const install = (shop: ShopName, afterMs = 0): Action => act('install', 0, shop, afterMs)

/** The app is uninstalled at Shopify; nobody is told. */
export const uninstall = (shop: ShopName, afterMs = 0): Action => act('uninstall', 0, shop, afterMs)

/** The webhook of the last uninstallation arrives, however late. */
export const webhook = (worker: ProcessIndex, shop: ShopName, afterMs = 0): Action =>
  act('webhook', worker, shop, afterMs)

/** An operator removes the shop. */
export const remove = (worker: ProcessIndex, shop: ShopName, afterMs = 0): Action =>
  act('remove', worker, shop, afterMs)

function act(kind: Action['kind'], worker: ProcessIndex, shop: ShopName, afterMs: number): Action {
  return { kind, worker, shop, afterMs }
}

/** As it is written in a script. */
export function written({ kind, worker, shop, afterMs }: Action): string {
  const whose = kind === 'install' || kind === 'uninstall' || kind === 'restore' ? '' : `${String(worker)}, `
  return `${kind}(${whose}'${shop}'${afterMs === 0 ? '' : `, ${String(afterMs)}`})`
}
