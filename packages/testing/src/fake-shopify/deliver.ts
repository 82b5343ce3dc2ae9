import type { Fault } from './fault.js'
import type { DrawnFault } from './fault-script.js'
import { OAUTH_ERRORS, TERMINAL_SENTENCE } from './oauth-errors.js'
import type { Reply } from './reply.js'
import type { OAuthError, WireAnswer } from './wire-answer.js'
import { html, json, oauthError, text } from './wire-answer.js'

/** One request on its way through Shopify, for {@link deliver} to carry out, spoil, repeat or withhold. */
export interface Exchange {
  /** Lets Shopify act and returns its answer. Each call is one delivery of the request. */
  act(options?: { readonly ignoreExpiring?: boolean }): Promise<WireAnswer>
  /** Notes that Shopify never acted on this request. */
  skip(): void
  /** Resolves when the client may be answered. */
  mayAnswer(): Promise<void>
  readonly reply: Reply
  /** Waits; rejects when the fake is closed before. */
  pause(ms: number): Promise<void>
  /** Shopify's time in milliseconds. */
  now(): number
  /** Where a redirect leads that names no place. */
  readonly elsewhere: string
  /** Whether the client asked for JSON; without that, errors are pages. */
  readonly acceptsJson: boolean
  /** The body that this half of the fake sends with a status. */
  bodyOf(status: number): unknown
}

/** Carries one request out under a fault, or plainly without one. Resolves when nothing is left to do for it. */
export async function deliver(drawn: DrawnFault | undefined, exchange: Exchange): Promise<void> {
  const { reply } = exchange
  if (drawn === undefined) {
    const answer = await exchange.act()
    await exchange.mayAnswer()
    reply.send(answer)
    return
  }
  const { fault } = drawn
  if (fault.kind === 'late') return late(fault, drawn, exchange)
  if (fault.kind === 'twice') return twice(fault, drawn, exchange)
  if (fault.kind === 'slow') await exchange.pause(fault.ms)
  const acted = acts(fault) ? await exchange.act({ ignoreExpiring: fault.kind === 'not-expiring' }) : undefined
  if (acted === undefined) exchange.skip()
  await exchange.mayAnswer()
  answerFaultily(fault, acted, exchange)
  drawn.tookEffect()
}

async function late(fault: Fault & { kind: 'late' }, drawn: DrawnFault, exchange: Exchange): Promise<void> {
  const due = fault.ms === undefined ? drawn.released : exchange.pause(fault.ms)
  const delivery = due.then(() => exchange.act()).then(() => undefined)
  drawn.delivering(delivery)
  if (fault.client !== 'hang') exchange.reply.reset()
  drawn.tookEffect()
  await delivery
}

async function twice(fault: Fault & { kind: 'twice' }, drawn: DrawnFault, exchange: Exchange): Promise<void> {
  const first = await exchange.act()
  if (fault.answer === 'second') {
    const second = await exchange.act()
    await exchange.mayAnswer()
    exchange.reply.send(second)
    drawn.tookEffect()
    return
  }
  const due = fault.ms === undefined ? drawn.released : exchange.pause(fault.ms)
  const delivery = due.then(() => exchange.act()).then(() => undefined)
  drawn.delivering(delivery)
  await exchange.mayAnswer()
  exchange.reply.send(first)
  drawn.tookEffect()
  await delivery
}

function acts(fault: Fault): boolean {
  switch (fault.kind) {
    case 'reset':
    case 'hang':
    case 'error-520':
    case 'html':
      return fault.when === 'after'
    case 'slow':
    case 'truncated':
    case 'cut':
    case 'missing':
    case 'field':
    case 'not-expiring':
    case 'oversized':
      return true
    default:
      return false
  }
}

function answerFaultily(fault: Fault, acted: WireAnswer | undefined, exchange: Exchange): void {
  const { reply } = exchange
  if (fault.kind === 'hang') return
  if (fault.kind === 'refuse' || fault.kind === 'reset') reply.reset()
  else if (fault.kind === 'cut' && acted !== undefined) reply.sendHalf(acted)
  else reply.send(acted === undefined ? madeUp(fault, exchange) : spoilt(fault, acted))
}

/** The answer of a fault that acted first. */
function spoilt(fault: Fault, acted: WireAnswer): WireAnswer {
  switch (fault.kind) {
    case 'error-520':
      return text(520, 'error code: 520')
    case 'html':
      return html(fault.status ?? 502, 'Bad Gateway')
    case 'truncated':
      return { ...acted, body: acted.body.slice(0, Math.floor(acted.body.length / 2)) }
    case 'missing':
      return edited(acted, (body) => {
        Reflect.deleteProperty(body, fault.field)
      })
    case 'field':
      return edited(acted, (body) => {
        body[fault.field] = fault.value
      })
    case 'oversized':
      return edited(acted, (body) => {
        body.padding = '.'.repeat(Math.max(0, (fault.bytes ?? 65_537) - acted.body.length - '"padding":"",'.length))
      })
    default:
      return acted
  }
}

function edited(acted: WireAnswer, edit: (body: Record<string, unknown>) => void): WireAnswer {
  if (acted.status !== 200) return acted
  const body = JSON.parse(acted.body) as Record<string, unknown>
  if (!('access_token' in body)) return acted
  edit(body)
  return { ...acted, body: JSON.stringify(body) }
}

/** The answer of a fault that Shopify never acted on. */
function madeUp(fault: Fault, exchange: Exchange): WireAnswer {
  switch (fault.kind) {
    case 'error-520':
      return text(520, 'error code: 520')
    case 'html':
      return html(fault.status ?? 502, 'Bad Gateway')
    case 'redirect':
      return { ...html(fault.status ?? 307, 'Moved'), headers: { location: fault.location ?? exchange.elsewhere } }
    case 'throttled':
      return json(429, exchange.bodyOf(429), retryAfter(fault, exchange.now()))
    case 'status':
      return json(fault.status, fault.body ?? exchange.bodyOf(fault.status))
    case 'oauth-error':
      return oauthError(fault, exchange.acceptsJson)
    case 'invalid-grant':
      return oauthError({ ...OAUTH_ERRORS.invalidGrant, status: fault.status ?? 400 }, exchange.acceptsJson)
    case 'decoy':
      return oauthError(decoy(fault.status ?? 400), exchange.acceptsJson)
    default:
      return oauthError(NAMED[fault.kind] ?? OAUTH_ERRORS.missingParameter, exchange.acceptsJson)
  }
}

const NAMED: Readonly<Partial<Record<Fault['kind'], OAuthError>>> = {
  terminal: OAUTH_ERRORS.terminal,
  'app-not-installed': OAUTH_ERRORS.appNotInstalled,
  'invalid-subject-token': OAUTH_ERRORS.invalidSubjectToken,
  'code-used': OAUTH_ERRORS.codeUsed,
  'invalid-client': OAUTH_ERRORS.invalidClient,
  'unknown-application': OAUTH_ERRORS.unknownApplication,
}

function decoy(status: number): OAuthError {
  return { status, error: 'invalid_request', description: `Try again later. ${TERMINAL_SENTENCE}, was said before.` }
}

function retryAfter(fault: Fault & { kind: 'throttled' }, now: number): Record<string, string> {
  if (fault.retryAfterDateMs !== undefined)
    return { 'retry-after': new Date(now + fault.retryAfterDateMs).toUTCString() }
  return fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }
}
