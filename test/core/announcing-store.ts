import type { RecordKey, Shop, TokenStore, WriteWatch } from '@shopify-tokens/core'
import { CLIENT_ID } from './managed-app.js'

/** A store whose announcements are in the test's hand. */
export interface AnnouncingStore {
  readonly store: TokenStore
  /** Tells every listener that another process has written this row. */
  announce(shop: Shop, clientId?: string): void
  /** Whether its watches say that they are live; at first they are. */
  isLive: boolean
  /** How many watches were opened, and how many of them closed. */
  opened: number
  closed: number
}

/** The same store to another process, with news. `close`: what ending a watch does. */
export function announcing(inner: TokenStore, close: () => Promise<void> = () => Promise.resolve()): AnnouncingStore {
  const listeners = new Set<(key: RecordKey) => void>()
  const announcements: AnnouncingStore = {
    store: {
      get: (key) => inner.get(key),
      put: (key, record, expected) => inner.put(key, record, expected),
      scan: (query) => inner.scan(query),
      ask: (key) => inner.ask(key),
      watch: (listener): WriteWatch => {
        announcements.opened += 1
        listeners.add(listener)
        return {
          isLive: () => announcements.isLive,
          close: () => {
            announcements.closed += 1
            listeners.delete(listener)
            return close()
          },
        }
      },
    },
    announce: (shop, clientId = CLIENT_ID) => {
      for (const listener of listeners) listener({ clientId, shop })
    },
    ...{ isLive: true, opened: 0, closed: 0 },
  }
  return announcements
}
