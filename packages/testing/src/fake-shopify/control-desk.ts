import type { Hold, HoldOptions } from './barrier.js'
import type { Fault, FaultOptions } from './fault.js'
import type { FaultHandle, FaultScript } from './fault-script.js'
import type { FakeEndpoint } from './request-log.js'
import type { WireAnswer } from './wire-answer.js'
import { json } from './wire-answer.js'

/** Methods of {@link FakeShopify} that another process may call as they are: plain data in, plain data out. */
export const REMOTE_METHODS = [
  'configure',
  'installShop',
  'uninstall',
  'reinstall',
  'issueCode',
  'authorize',
  'sessionToken',
  'mintPair',
  'mintNonExpiring',
  'revokeToken',
  'restrict',
  'requireScope',
  'addClientSecret',
  'revokeClientSecret',
  'webhook',
  'deliverWebhook',
  'hasLiveCredential',
  'accessTokenState',
  'counters',
  'log',
  'resetCounters',
] as const

/** Name of a method that {@link RemoteFakeShopify} has as {@link FakeShopify} has it. */
export type RemoteMethod = (typeof REMOTE_METHODS)[number]

/** What the desk needs of a fake. */
export type Controlled = Readonly<Record<RemoteMethod, (...args: never[]) => unknown>> & {
  readonly faults: FaultScript
  hold(endpoint: FakeEndpoint, options: HoldOptions): Hold
  barrier(n: number, endpoint: FakeEndpoint, options: HoldOptions): Hold
}

/** The fake's controls over HTTP: `POST /__fake/{verb}` with the arguments as a JSON list answers `{ result }`. */
export class ControlDesk {
  readonly #shopify: Controlled
  readonly #holds: Hold[] = []
  readonly #faults: FaultHandle[] = []

  constructor(shopify: Controlled) {
    this.#shopify = shopify
  }

  /** Carries a verb out. A verb that throws answers 400 with its message. */
  async call(verb: string, body: string): Promise<WireAnswer> {
    try {
      const result = await this.#carryOut(verb, JSON.parse(body === '' ? '[]' : body) as unknown[])
      return json(200, { result })
    } catch (error) {
      return json(400, { error: error instanceof Error ? error.message : 'unknown error' })
    }
  }

  async #carryOut(verb: string, args: unknown[]): Promise<unknown> {
    const method = REMOTE_METHODS.find((name) => name === verb)
    if (method !== undefined) {
      return this.#shopify[method](...(args as never[]))
    }
    const [first, second, third] = args
    switch (verb) {
      case 'hold':
        return this.#holds.push(this.#shopify.hold(first as FakeEndpoint, second as HoldOptions)) - 1
      case 'barrier': {
        const hold = this.#shopify.barrier(first as number, second as FakeEndpoint, third as HoldOptions)
        return this.#holds.push(hold) - 1
      }
      case 'hold.count':
        return pick(this.#holds, first).count
      case 'hold.arrived':
        return pick(this.#holds, first).arrived(second as number)
      case 'hold.release':
        pick(this.#holds, first).release()
        return undefined
      case 'faults.next': {
        const options = withInfinity(third as JsonFaultOptions)
        return this.#faults.push(this.#shopify.faults.next(first as string, second as Fault, options)) - 1
      }
      case 'faults.clear':
        this.#shopify.faults.clear(first === null ? undefined : (first as string))
        return undefined
      case 'fault.struck':
        return pick(this.#faults, first).struck
      case 'fault.untilStruck':
        return pick(this.#faults, first).untilStruck(second as number)
      case 'fault.release':
        return pick(this.#faults, first).release()
      case 'fault.cancel':
        pick(this.#faults, first).cancel()
        return undefined
      default:
        throw new Error('No such control')
    }
  }
}

type JsonFaultOptions = Omit<FaultOptions, 'times'> & { readonly times?: number | null }

/** JSON writes `Infinity` as `null`. */
function withInfinity({ times, ...options }: JsonFaultOptions): FaultOptions {
  return { ...options, times: times === null ? Infinity : times }
}

function pick<T>(list: readonly T[], index: unknown): T {
  const found = typeof index === 'number' ? list[index] : undefined
  if (found === undefined) throw new Error('No such hold or fault')
  return found
}
