/** What is used of a `Job` of BullMQ 5 or 6. */
export interface ShopJob {
  readonly id?: string | undefined
  readonly name: string
  readonly queueName: string
  readonly data: unknown
  /** How many runs counted as attempts. */
  readonly attemptsMade: number
  /** How many runs were begun, those included that were delayed or stalled. */
  readonly attemptsStarted: number
  /** With which the worker holds the job's lock. */
  readonly token?: string | undefined
  /** Costs no attempt; rejects when the lock is another worker's. */
  moveToDelayed(timestamp: number, token?: string): Promise<void>
}

/** How often the job has been put off, or lost with its worker. */
export function delaysOf({ attemptsMade, attemptsStarted }: ShopJob): number {
  return Math.max(0, attemptsStarted - attemptsMade - 1)
}

/** `data.shop`: where an application keeps a job's shop, unless it says otherwise. */
export function shopInData({ data }: ShopJob): unknown {
  return typeof data === 'object' && data !== null && 'shop' in data ? data.shop : undefined
}
