import type { IncomingMessage, ServerResponse } from 'node:http'
import { CONTROL_PATH, isShopHost, SHOP_HEADER, TOKEN_PATH } from './addresses.js'
import type { AdminApi } from './admin-api.js'
import { adminErrorBody } from './admin-api.js'
import type { Barrier, RequestTraits } from './barrier.js'
import type { Exchange } from './deliver.js'
import { deliver } from './deliver.js'
import type { FaultScript } from './fault-script.js'
import { readBody } from './loopback-server.js'
import type { MerchantPages } from './merchant-pages.js'
import { Reply } from './reply.js'
import type { LogEntry, RequestLog } from './request-log.js'
import { fingerprint } from './request-log.js'
import type { TokenEndpoint } from './token-endpoint.js'
import { credentialOf, grantOf, parseParameters, unexpectedParameters } from './token-request.js'
import type { WireAnswer } from './wire-answer.js'
import { html, json, oauthError } from './wire-answer.js'

const VERSIONED = /^\/admin\/api\/([^/]+)\//

/** What the front door leads to. */
export interface House {
  readonly tokens: TokenEndpoint
  readonly admin: AdminApi
  readonly pages: MerchantPages
  readonly faults: FaultScript
  readonly barrier: Barrier
  readonly log: RequestLog
  now(): number
  pause(ms: number): Promise<void>
  requestId(): string
  /** The `Date` header of this moment, `undefined` for none. */
  date(): string | undefined
  /** Where redirects lead that name no place. */
  elsewhere(): string
  control(verb: string, body: string): Promise<WireAnswer>
}

type Arrival = Omit<LogEntry, 'sequence' | 'outcome'>

/** Receives every request, finds the shop and the half of Shopify it is for, and sees it through. */
export class FrontDoor {
  readonly #house: House

  constructor(house: House) {
    this.#house = house
  }

  /** Handles one request to its end. A client that breaks off and a fake that is closed end it early and silently. */
  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = this.#house.requestId()
    const body = await readBody(request)
    const { pathname, search, searchParams } = new URL(request.url ?? '/', 'http://fake.invalid')
    const method = request.method ?? 'GET'
    const headers = (): Record<string, string> => {
      const date = this.#house.date()
      return { 'x-request-id': requestId, ...(date === undefined ? {} : { date }) }
    }
    const host = hostOf(request)
    const page = this.#house.pages.answer({ host, method, path: pathname, query: searchParams, body })
    if (page !== undefined) {
      new Reply(response, headers).send(page)
      return
    }
    const shop = isShopHost(host) ? host : undefined
    const token = pathname === TOKEN_PATH && method === 'POST'
    if (shop === undefined || !(token || pathname.startsWith('/admin/'))) {
      new Reply(response, headers).send(await this.#outside(pathname, request, body))
      return
    }
    const arrival = { at: this.#house.now(), shop, requestId, method, path: pathname }
    const plan = token ? this.#token(arrival, request, body) : this.#admin(arrival, request, body, search)
    await this.#carryOut(plan, response, headers)
  }

  #token(arrival: Omit<Arrival, 'endpoint'>, request: IncomingMessage, body: string): Plan {
    const parameters = parseParameters(body, request.headers['content-type'] ?? '')
    const grant = grantOf(parameters)
    const presented = credentialOf(grant, parameters)
    const unexpected = unexpectedParameters(grant, parameters)
    const acceptsJson = (request.headers.accept ?? '').includes('application/json')
    return {
      acceptsJson,
      arrival: {
        ...arrival,
        endpoint: 'token',
        grant,
        ...(presented === undefined ? {} : { presented: fingerprint(presented) }),
        ...(unexpected.length === 0 ? {} : { unexpectedParameters: unexpected }),
      },
      act: (entry, ignoreExpiring) => {
        const asked = ignoreExpiring ? { ...parameters, expiring: '0' } : parameters
        const decision = this.#house.tokens.decide(arrival.shop, grant, asked)
        const { outcome } = decision
        if (outcome === 'refused') {
          const { error, reason } = decision
          this.#house.log.settled(entry, { outcome, error: error.error, ...(reason === undefined ? {} : { reason }) })
          return Promise.resolve(oauthError(error, acceptsJson))
        }
        this.#house.log.settled(entry, { outcome })
        if (outcome === 'granted' && decision.answer.refresh_token !== undefined) this.#house.log.minted(arrival.shop)
        return Promise.resolve(json(200, decision.answer))
      },
    }
  }

  #admin(arrival: Omit<Arrival, 'endpoint'>, request: IncomingMessage, text: string, search: string): Plan {
    const token = String(request.headers['x-shopify-access-token'] ?? '')
    const { shop, method, path } = arrival
    const apiVersion = VERSIONED.exec(path)?.[1]
    return {
      acceptsJson: true,
      arrival: { ...arrival, endpoint: 'admin', ...(token === '' ? {} : { presented: fingerprint(token) }) },
      act: async (entry) => {
        const asked = { shop, method, path: path + search, apiVersion, body: parsed(text) }
        const answer = await this.#house.admin.answer(token, asked)
        this.#house.log.settled(entry, { outcome: 'answered' })
        return answer
      },
    }
  }

  async #carryOut(plan: Plan, response: ServerResponse, headers: () => Record<string, string>): Promise<void> {
    const { log, barrier, faults } = this.#house
    const entry = log.arrived(plan.arrival)
    const traits: RequestTraits = plan.arrival
    await barrier.pass(traits, 'request')
    const drawn = faults.draw(traits)
    if (drawn !== undefined) entry.fault = drawn.fault.kind
    let acted = false
    const exchange: Exchange = {
      act: ({ ignoreExpiring = false } = {}) => {
        const again = acted ? Object.assign(log.arrived(plan.arrival), { duplicate: true, fault: entry.fault }) : entry
        acted = true
        return plan.act(again, ignoreExpiring)
      },
      skip: () => {
        log.settled(entry, { outcome: 'unprocessed' })
      },
      mayAnswer: () => barrier.pass(traits, 'answer'),
      reply: new Reply(response, headers, (status) => {
        log.sent(entry, status)
      }),
      pause: (ms) => this.#house.pause(ms),
      now: () => this.#house.now(),
      elsewhere: this.#house.elsewhere(),
      acceptsJson: plan.acceptsJson,
      bodyOf: adminErrorBody,
    }
    await deliver(drawn, exchange)
  }

  async #outside(pathname: string, request: IncomingMessage, body: string): Promise<WireAnswer> {
    if (pathname.startsWith(CONTROL_PATH) && request.method === 'POST') {
      return this.#house.control(pathname.slice(CONTROL_PATH.length), body)
    }
    return html(404, 'Not Found')
  }
}

interface Plan {
  readonly arrival: Arrival
  readonly acceptsJson: boolean
  act(entry: LogEntry, ignoreExpiring: boolean): Promise<WireAnswer>
}

/** The host stands in the routed fetch's header, or in `Host` when a resolver maps shops to the loopback address. */
function hostOf(request: IncomingMessage): string {
  const named = request.headers[SHOP_HEADER]
  return (typeof named === 'string' ? named : (request.headers.host ?? '').replace(/:\d+$/, '')).toLowerCase()
}

function parsed(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
