import { withDeadline } from '../deadline.js'
import type { Clock } from '../ports/clock.js'
import type { Fetch } from '../ports/fetch.js'
import type { Secret } from '../secret.js'
import { parseShop, type Shop } from '../shop.js'
import { classifyRefusal, type Refusal } from './refusal.js'
import { type Credential, grantParameters } from './grants.js'
import { readBounded } from './read-bounded.js'
import { type MintedTokens, parseTokenResponse } from './token-response.js'

/** What became of one request. */
export type GrantAnswer = Granted | Refusal

/** New tokens. From here on the presented credential may be dead: store them before anything else. */
export interface Granted {
  readonly outcome: 'granted'
  readonly tokens: MintedTokens
}

/** One request to the token endpoint, seen from here. */
export interface Exchange {
  readonly answer: GrantAnswer
  /** Shopify's `x-request-id`; absent when there was no answer. */
  readonly requestId: string | undefined
  /** When the request was sent, by this machine's uncorrected wall clock. Lifetimes count from here, not from the answer. */
  readonly sentAt: number
  /** When the answer's head arrived, by the same clock. */
  readonly answeredAt: number
  /** The answer's `Date` header in epoch milliseconds; `null` when absent or unreadable. */
  readonly dateHeader: number | null
}

export interface TokenEndpoint {
  readonly clientId: string
  readonly clientSecret: Secret
  readonly fetch: Fetch
  readonly clock: Clock
  readonly requestTimeoutMs: number
  /** Cap of `Retry-After`, in milliseconds. */
  readonly maxRetryAfterMs: number
}

/** Shopify's answers have some hundred bytes; an error page of an intermediary is not worth more. */
const MAX_BODY_BYTES = 65_536

/**
 * Presents a credential once. Never rejects: whatever happens on the wire is an answer of its own kind.
 *
 * Redirects are not followed: a 307 would carry the client secret to another host.
 *
 * @see RFC 6749 section 5; Shopify: "Access tokens: token refresh"
 */
export async function presentCredential(
  endpoint: TokenEndpoint,
  shop: Shop,
  credential: Credential,
): Promise<Exchange> {
  const { clock, clientId, clientSecret } = endpoint
  const body = new URLSearchParams({
    client_id: clientId,
    client_secret: clientSecret.reveal(),
    ...grantParameters(credential),
  })
  const sentAt = clock.now()
  try {
    return await withDeadline(clock, endpoint.requestTimeoutMs, async (signal) => {
      // Checked again at the last moment: this string is the host that gets the client secret.
      const response = await endpoint.fetch(`https://${parseShop(shop)}/admin/oauth/access_token`, {
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
        body: body.toString(),
        redirect: 'manual',
        signal,
      })
      const answeredAt = clock.now()
      const dateHeader = parseDate(response.headers.get('date'))
      const json = parseJson(await readBounded(response, MAX_BODY_BYTES))
      return {
        answer: understand(endpoint, credential, response, json, dateHeader ?? answeredAt),
        requestId: response.headers.get('x-request-id') ?? undefined,
        sentAt,
        answeredAt,
        dateHeader,
      }
    })
  } catch {
    // Refused, reset, timed out, cut off: what the server did is unknown, and the error text may quote the request.
    const answer = { outcome: 'transient', conclusive: false, status: undefined, retryAfterMs: undefined } as const
    return { answer, requestId: undefined, sentAt, answeredAt: clock.now(), dateHeader: null }
  }
}

function understand(
  endpoint: TokenEndpoint,
  credential: Credential,
  response: Response,
  json: unknown,
  serverNow: number,
): GrantAnswer {
  if (response.ok) {
    const tokens = parseTokenResponse(credential.grant, json)
    if (tokens !== null) return { outcome: 'granted', tokens }
  }
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), serverNow, endpoint.maxRetryAfterMs)
  return classifyRefusal(credential.grant, response.status, json, retryAfterMs)
}

/** `undefined`: not JSON. Answers are HTML or plain text when something in front of Shopify's application speaks. */
function parseJson(text: string | null): unknown {
  if (text === null) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The instant of a `Date` header, if it is one. */
export function parseDate(value: string | null): number | null {
  const at = value === null ? NaN : Date.parse(value)
  return Number.isNaN(at) ? null : at
}

/**
 * Seconds as an integer or a float, or an HTTP date (RFC 9110 section 10.2.3) of the clock that `serverNow` was read
 * from; in milliseconds, between 0 and `max`.
 */
function parseRetryAfter(value: string | null, serverNow: number, max: number): number | undefined {
  if (value === null || value === '') return undefined
  const asSeconds = Number(value)
  const ms = Number.isFinite(asSeconds) ? asSeconds * 1000 : Date.parse(value) - serverNow
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(Math.ceil(ms), 0), max)
}
