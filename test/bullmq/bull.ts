import * as bullmq6 from 'bullmq'
import type { Processor, Queue, QueueOptions, Worker, WorkerOptions } from 'bullmq'
import * as bullmq5 from 'bullmq5'
import { Redis } from 'ioredis'
import { redisWithPrefix } from '../servers.js'

type Bullmq = typeof bullmq6

/** The supported majors. The older one is used as if it had the newer one's types: what is used of it is the same. */
export const VERSIONS: readonly (readonly [name: string, bullmq: Bullmq])[] = [
  ['BullMQ 6', bullmq6],
  ['BullMQ 5', bullmq5 as unknown as Bullmq],
]

/** One test's queues and workers, under a prefix that no other run uses. */
export class Bull {
  readonly prefix: string
  readonly connection: Redis
  /** What workers had to say: lost locks, and jobs that could not be scheduled. */
  readonly errors: Error[] = []
  readonly #bullmq: Bullmq
  readonly #queues: Queue[] = []
  readonly #workers: Worker[] = []

  constructor(version: Bullmq = bullmq6) {
    const { url, prefix } = redisWithPrefix()
    this.#bullmq = version
    this.prefix = prefix.replace(/:$/, '')
    this.connection = new Redis(url, { maxRetriesPerRequest: null })
  }

  queue(name = 'jobs'): Queue {
    const queue = new this.#bullmq.Queue(name, this.#options())
    queue.on('error', ignore)
    this.#queues.push(queue)
    return queue
  }

  worker<Data>(queue: Queue, processor: Processor<Data>, options: Partial<WorkerOptions> = {}): Worker<Data> {
    const worker = new this.#bullmq.Worker<Data>(queue.name, processor, { ...this.#options(), ...options })
    worker.on('error', (error) => this.errors.push(error))
    this.#workers.push(worker as Worker)
    return worker
  }

  /** What stands in for `bullmq` in code that names neither prefix nor test: its queues and workers are this test's. */
  module(): object {
    const queue = (name: string): Queue => this.queue(name)
    const worker = (name: string, processor: Processor, options: WorkerOptions): Worker => {
      const { concurrency, limiter } = options
      return this.worker(this.queue(name), processor, { concurrency: concurrency ?? 1, ...(limiter && { limiter }) })
    }
    return { Queue: constructorOf(queue), Worker: constructorOf(worker) }
  }

  /** Everything that stands in Redis under the prefix, as text. */
  async contents(): Promise<string> {
    const keys = await this.keys()
    const values = await Promise.all(keys.map((key) => this.#contentOf(key)))
    return JSON.stringify(keys.map((key, place) => [key, values[place]]))
  }

  keys(): Promise<string[]> {
    return this.connection.keys(`${this.prefix}:*`)
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.close(true)))
    await Promise.all(this.#queues.splice(0).map((queue) => queue.close()))
    const keys = await this.keys()
    if (keys.length > 0) await this.connection.del(...keys)
    await this.connection.quit()
  }

  #options(): QueueOptions {
    return { connection: this.connection, prefix: this.prefix }
  }

  async #contentOf(key: string): Promise<unknown> {
    const type = await this.connection.type(key)
    if (type === 'hash') return this.connection.hgetall(key)
    if (type === 'list') return this.connection.lrange(key, 0, -1)
    if (type === 'set') return this.connection.smembers(key)
    if (type === 'zset') return this.connection.zrange(key, 0, -1)
    if (type === 'stream') return this.connection.xrange(key, '-', '+')
    return this.connection.get(key)
  }
}

/** A function that may be called with `new`: what it returns is the new object. */
function constructorOf(make: (...args: never[]) => object): object {
  return function (...args: never[]) {
    return make(...args)
  }
}

function ignore(): void {
  // A worker that is cut off while it waits for a job says so.
}
