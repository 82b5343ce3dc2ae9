import type { Grant } from '@shopify-tokens/core'
import type { Fault } from '@shopify-tokens/testing'
import {
  AWAY,
  CODE_REFUSED,
  GRANTS,
  MARKED,
  MARKED_UNEXCHANGEABLE,
  MARKED_UNINSTALLED,
  MISCONFIGURED,
  NOT_INSTALLED,
  type Outcome,
  OUTAGE,
  SESSION_TOKEN_REFUSED,
  THROTTLED,
  UNKNOWN,
  WITHOUT_TOKENS,
} from './outcomes.js'

/** One row of the table "What the token endpoint answers" in docs/errors.md. */
export interface EndpointAnswer {
  /** The answer, in the table's words. */
  readonly answer: string
  /** The row of "Errors of the token endpoint" in docs/shopify-protocol.md that it belongs to. */
  readonly protocol: (typeof PROTOCOL)[keyof typeof PROTOCOL]
  readonly to: readonly Grant[]
  /** The fake's ways to give it. */
  readonly given: readonly Given[]
  readonly outcome: Outcome
}

export interface Given {
  readonly fault: Fault
  /** The cool-down that it asks for, where that is another than the row's own. */
  readonly coolDownMs?: number
  /** Only to these. */
  readonly to?: readonly Grant[]
  /** Whether it asks for a pause that outlasts the run, which therefore sends nothing again. */
  readonly asksForLong?: true
}

/** The first cells of "Errors of the token endpoint". */
export const PROTOCOL = {
  deadRefreshToken: 'to a refresh, 401 `invalid_request` "This request requires an active refresh_token"',
  invalidGrant: '400 or 401 `invalid_grant`',
  subject: 'not to a refresh, 400 `invalid_subject_token`',
  subjectVariant: 'not to a refresh, 400 `invalid_request` "Invalid subject token"',
  code: 'not to a refresh, 400 `invalid_request` "The authorization code was not found or was already used"',
  notInstalled: '400 `app_not_installed`',
  notPermitted: 'to client credentials, `shop_not_permitted`',
  misconfigured: '`invalid_client`, `unsupported_grant_type`, "Could not find Shopify API application …"',
  away: '402, 404, 423, 430, any other 403',
  outage:
    'no answer, time-out, 408, 425, 429, 500 and above, a 4xx without JSON that is not above, a 2xx without tokens',
  unknown: 'anything else, redirects included',
} as const

const SENTENCE = 'This request requires an active refresh_token'

const oauthError = (status: number, error: string, description?: string): Given => ({
  fault: { kind: 'oauth-error', status, error, ...(description === undefined ? {} : { description }) },
})
const status = (code: number, body?: unknown): Given => ({
  fault: { kind: 'status', status: code, ...(body === undefined ? {} : { body }) },
})
const page = (code: number): Given => ({ fault: { kind: 'html', when: 'before', status: code } })

const only = (to: readonly Grant[], given: readonly Given[]): Given[] => given.map((each) => ({ ...each, to }))

const SUBJECT: readonly Given[] = [{ fault: { kind: 'invalid-subject-token' } }]
const SUBJECT_VARIANT: readonly Given[] = [oauthError(400, 'invalid_request', 'Invalid subject token')]
const DEAD_CODE: readonly Given[] = [{ fault: { kind: 'code-used' } }]
const DEAD_REFRESH_TOKEN: readonly Given[] = [{ fault: { kind: 'terminal' } }]
const INVALID_GRANT: readonly Given[] = [
  { fault: { kind: 'invalid-grant', status: 400 } },
  { fault: { kind: 'invalid-grant', status: 401 } },
]
const NO_APP: readonly Given[] = [{ fault: { kind: 'app-not-installed' } }]
const OTHER_ORGANIZATION: readonly Given[] = [400, 401, 403].map((code) =>
  oauthError(code, 'shop_not_permitted', 'Client credentials cannot be performed on this shop.'),
)

const NOT_ANSWERED: readonly Given[] = [
  { fault: { kind: 'refuse' } },
  { fault: { kind: 'reset', when: 'before' } },
  { fault: { kind: 'reset', when: 'after' } },
  { fault: { kind: 'cut' } },
  { fault: { kind: 'hang', when: 'before' } },
  { fault: { kind: 'hang', when: 'after' } },
]
const FAILING: readonly Given[] = [
  ...[408, 425, 500, 503, 504].map((code) => status(code)),
  { fault: { kind: 'error-520', when: 'before' } },
  { fault: { kind: 'error-520', when: 'after' } },
  ...[502, 400, 401, 410].map(page),
  { fault: { kind: 'decoy', status: 502 } },
  oauthError(500, 'invalid_request', SENTENCE),
]
const THROTTLING: readonly Given[] = [
  { fault: { kind: 'throttled' } },
  { fault: { kind: 'throttled', retryAfter: 0 } },
  { fault: { kind: 'throttled', retryAfter: 'soon' } },
  { fault: { kind: 'throttled', retryAfter: 30 }, asksForLong: true },
  { fault: { kind: 'throttled', retryAfter: 90 }, coolDownMs: 90_000, asksForLong: true },
  { fault: { kind: 'throttled', retryAfter: '90.25' }, coolDownMs: 90_250, asksForLong: true },
  { fault: { kind: 'throttled', retryAfterDateMs: 90_000 }, coolDownMs: 90_000, asksForLong: true },
  { fault: { kind: 'throttled', retryAfter: 86_400 }, coolDownMs: 3_600_000, asksForLong: true },
]
const NO_TOKENS: readonly Given[] = [
  { fault: { kind: 'missing', field: 'access_token' } },
  { fault: { kind: 'field', field: 'access_token', value: '' } },
  { fault: { kind: 'truncated' } },
  { fault: { kind: 'oversized' } },
  status(200, {}),
  page(200),
  { fault: { kind: 'missing', field: 'refresh_token' }, to: ['refresh', 'id-token', 'code', 'migration'] },
]
const NOT_KNOWN: readonly Given[] = [
  ...([301, 302, 303, 307, 308] as const).map((code): Given => ({ fault: { kind: 'redirect', status: code } })),
  oauthError(400, 'something_new'),
  oauthError(401, ''),
  oauthError(401, 'access_denied', SENTENCE),
  { fault: { kind: 'decoy', status: 400 } },
  status(418, []),
  ...only(['id-token', 'code', 'migration', 'client-credentials'], DEAD_REFRESH_TOKEN),
  ...only(['refresh', 'client-credentials'], [...SUBJECT, ...SUBJECT_VARIANT, ...DEAD_CODE]),
  ...only(['client-credentials'], INVALID_GRANT),
  ...only(['refresh', 'id-token', 'code', 'migration'], OTHER_ORGANIZATION.slice(0, 1)),
]

/** Every row, in the order of the table. */
export const ANSWERS: readonly EndpointAnswer[] = [
  {
    answer: '401 `invalid_request` "This request requires an active refresh_token"',
    protocol: PROTOCOL.deadRefreshToken,
    to: ['refresh'],
    given: DEAD_REFRESH_TOKEN,
    outcome: MARKED,
  },
  {
    answer: '400 or 401 `invalid_grant`',
    protocol: PROTOCOL.invalidGrant,
    to: ['refresh'],
    given: INVALID_GRANT,
    outcome: MARKED,
  },
  {
    answer: '400 or 401 `invalid_grant`',
    protocol: PROTOCOL.invalidGrant,
    to: ['id-token'],
    given: INVALID_GRANT,
    outcome: SESSION_TOKEN_REFUSED,
  },
  {
    answer: '400 or 401 `invalid_grant`',
    protocol: PROTOCOL.invalidGrant,
    to: ['code'],
    given: INVALID_GRANT,
    outcome: CODE_REFUSED,
  },
  {
    answer: '400 or 401 `invalid_grant`',
    protocol: PROTOCOL.invalidGrant,
    to: ['migration'],
    given: INVALID_GRANT,
    outcome: MARKED_UNEXCHANGEABLE,
  },
  {
    answer: '400 `invalid_subject_token`',
    protocol: PROTOCOL.subject,
    to: ['id-token'],
    given: SUBJECT,
    outcome: SESSION_TOKEN_REFUSED,
  },
  {
    answer: '400 `invalid_subject_token`',
    protocol: PROTOCOL.subject,
    to: ['code'],
    given: SUBJECT,
    outcome: CODE_REFUSED,
  },
  {
    answer: '400 `invalid_subject_token`',
    protocol: PROTOCOL.subject,
    to: ['migration'],
    given: SUBJECT,
    outcome: MARKED_UNEXCHANGEABLE,
  },
  {
    answer: '400 `invalid_request` "Invalid subject token"',
    protocol: PROTOCOL.subjectVariant,
    to: ['id-token'],
    given: SUBJECT_VARIANT,
    outcome: SESSION_TOKEN_REFUSED,
  },
  {
    answer: '400 `invalid_request` "Invalid subject token"',
    protocol: PROTOCOL.subjectVariant,
    to: ['code'],
    given: SUBJECT_VARIANT,
    outcome: CODE_REFUSED,
  },
  {
    answer: '400 `invalid_request` "Invalid subject token"',
    protocol: PROTOCOL.subjectVariant,
    to: ['migration'],
    given: SUBJECT_VARIANT,
    outcome: MARKED_UNEXCHANGEABLE,
  },
  {
    answer: '400 `invalid_request` "The authorization code was not found or was already used"',
    protocol: PROTOCOL.code,
    to: ['id-token'],
    given: DEAD_CODE,
    outcome: SESSION_TOKEN_REFUSED,
  },
  {
    answer: '400 `invalid_request` "The authorization code was not found or was already used"',
    protocol: PROTOCOL.code,
    to: ['code'],
    given: DEAD_CODE,
    outcome: CODE_REFUSED,
  },
  {
    answer: '400 `invalid_request` "The authorization code was not found or was already used"',
    protocol: PROTOCOL.code,
    to: ['migration'],
    given: DEAD_CODE,
    outcome: MARKED_UNEXCHANGEABLE,
  },
  {
    answer: '400 `app_not_installed`',
    protocol: PROTOCOL.notInstalled,
    to: ['refresh', 'migration'],
    given: NO_APP,
    outcome: MARKED_UNINSTALLED,
  },
  {
    answer: '400 `app_not_installed`',
    protocol: PROTOCOL.notInstalled,
    to: ['id-token', 'code'],
    given: NO_APP,
    outcome: NOT_INSTALLED,
  },
  {
    answer: '400 `app_not_installed`',
    protocol: PROTOCOL.notInstalled,
    to: ['client-credentials'],
    given: NO_APP,
    outcome: { ...AWAY, code: NOT_INSTALLED.code, http: NOT_INSTALLED.http },
  },
  {
    answer: '400, 401 or 403 `shop_not_permitted`',
    protocol: PROTOCOL.notPermitted,
    to: ['client-credentials'],
    given: OTHER_ORGANIZATION,
    outcome: { ...AWAY, code: MISCONFIGURED.code, http: MISCONFIGURED.http },
  },
  {
    answer: '`invalid_client`, `unsupported_grant_type`, "Could not find Shopify API application …"',
    protocol: PROTOCOL.misconfigured,
    to: GRANTS,
    given: [
      { fault: { kind: 'invalid-client' } },
      { fault: { kind: 'unknown-application' } },
      oauthError(400, 'unsupported_grant_type'),
      status(404, { errors: 'Could not find Shopify API application with api_key' }),
    ],
    outcome: MISCONFIGURED,
  },
  {
    answer: '402, 404, 423, 430, any other 403, also one that quotes a sentence from above',
    protocol: PROTOCOL.away,
    to: GRANTS,
    given: [
      ...[402, 404, 423, 430].map((code) => status(code)),
      status(403, { errors: 'not now' }),
      { fault: { kind: 'decoy', status: 403 } },
    ],
    outcome: AWAY,
  },
  {
    answer: 'none: refused, cut off, timed out',
    protocol: PROTOCOL.outage,
    to: GRANTS,
    given: NOT_ANSWERED,
    outcome: OUTAGE,
  },
  {
    answer: '408, 425, 500 and above, a 4xx that is no JSON, whatever they quote',
    protocol: PROTOCOL.outage,
    to: GRANTS,
    given: FAILING,
    outcome: OUTAGE,
  },
  {
    answer: '429; `Retry-After` of up to an hour is respected',
    protocol: PROTOCOL.outage,
    to: GRANTS,
    given: THROTTLING,
    outcome: THROTTLED,
  },
  {
    answer: '2xx without the tokens due, or that is no JSON, or longer than 64 kB',
    protocol: PROTOCOL.outage,
    to: GRANTS,
    given: NO_TOKENS,
    outcome: WITHOUT_TOKENS,
  },
  {
    answer: 'anything else: 3xx, another `error`, an empty one, one from above to something else',
    protocol: PROTOCOL.unknown,
    to: GRANTS,
    given: NOT_KNOWN,
    outcome: UNKNOWN,
  },
]
