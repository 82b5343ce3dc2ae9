import {
  type AnyShopifyTokenError,
  isShopifyTokenError,
  parseShop,
  type Shop,
  type ShopClient,
} from '@shopify-tokens/core'
import { DelayedError, UnrecoverableError } from 'bullmq'
import { runInJob } from './job-at-hand.js'
import type { JobOutcome, ShopJobSettings } from './shop-job-options.js'
import { delaysOf, type ShopJob } from './shop-job.js'
import { delayMsOf, verdictOn } from './verdict.js'

/** A manager, or whatever else makes clients of shops. */
export interface ShopClients {
  forShop(shop: Shop): ShopClient
}

/** One run of one job. */
export class JobRun<Job extends ShopJob> {
  readonly #job: Job
  readonly #token: string | undefined
  readonly #settings: ShopJobSettings<Job>
  #shop: Shop | null = null

  /** @param token with which the worker holds the job's lock */
  constructor(job: Job, token: string | undefined, settings: ShopJobSettings<Job>) {
    this.#job = job
    this.#token = token ?? job.token
    this.#settings = settings
  }

  /** Runs `work`; what BullMQ is to make of its error is in the error that this rejects with. */
  async execute<Result>(tokens: ShopClients, work: (shop: ShopClient) => Result): Promise<Awaited<Result>> {
    try {
      const result = await this.#inContext(tokens, work)
      this.#tell('done')
      return result
    } catch (error) {
      return this.#conclude(error)
    }
  }

  async #inContext<Result>(tokens: ShopClients, work: (shop: ShopClient) => Result): Promise<Awaited<Result>> {
    const { id: jobId, name: jobName, queueName: queue } = this.#job
    const shop = parseShop(this.#settings.shopOf(this.#job))
    this.#shop = shop
    const client = tokens.forShop(shop)
    return await runInJob({ queue, jobId, jobName, shop }, () => client.run(() => work(client)))
  }

  async #conclude(error: unknown): Promise<never> {
    const verdict = verdictOn(error, delaysOf(this.#job), this.#settings.maxDelays)
    if (verdict.outcome === 'delay') return this.#delay(verdict.delayMs, verdict.error)
    if (verdict.outcome === 'discard') return this.#discard(verdict.error)
    this.#tell('failed', isShopifyTokenError(error) ? error : null)
    throw error
  }

  async #delay(delayMs: number, error: AnyShopifyTokenError): Promise<never> {
    await this.#job.moveToDelayed(Date.now() + delayMs, this.#token)
    this.#tell('delayed', error, delayMs)
    throw new DelayedError()
  }

  async #discard(error: AnyShopifyTokenError): Promise<never> {
    try {
      await this.#settings.onDiscarded?.({ job: this.#job, shop: this.#shop, error })
    } catch (failure) {
      warn('onDiscarded', failure)
      const delays = delaysOf(this.#job)
      if (delays < this.#settings.maxDelays) return this.#delay(delayMsOf(delays), error)
    }
    this.#tell('discarded', error)
    const discarded = new UnrecoverableError(`${error.code}: ${error.message}`)
    discarded.cause = error
    throw discarded
  }

  #tell(
    outcome: JobOutcome['outcome'],
    error: AnyShopifyTokenError | null = null,
    delayMs: number | null = null,
  ): void {
    const { id: jobId, name: jobName, queueName: queue } = this.#job
    const job = { queue, jobId, jobName, shop: this.#shop }
    try {
      const told = this.#settings.onOutcome?.({
        ...job,
        outcome,
        code: error?.code ?? null,
        requestId: error?.requestId,
        delayMs,
      })
      if (told instanceof Promise)
        told.catch((failure: unknown) => {
          warn('onOutcome', failure)
        })
    } catch (failure) {
      warn('onOutcome', failure)
    }
  }
}

function warn(option: string, error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`The option ${option} of a shop's job threw (${kind}).`, 'ShopifyTokensWarning')
}
