import type { Grant } from '@shopify-tokens/core'
import { classifyRefusal, type Refusal } from '../../packages/core/src/oauth/refusal.js'

const OF_A_CREDENTIAL: readonly Grant[] = ['refresh', 'id-token', 'code', 'migration']
const EVERY: readonly Grant[] = [...OF_A_CREDENTIAL, 'client-credentials']
const DEAD_REFRESH_TOKEN = 'This request requires an active refresh_token'
const DEAD_CODE = 'The authorization code was not found or was already used'
const UNKNOWN_APP = 'Could not find Shopify API application with api_key 1234'

interface Row {
  /** What the answer is. */
  readonly answer: string
  readonly grants: readonly Grant[]
  readonly statuses: readonly number[]
  /** The parsed body; absent: it was not JSON. */
  readonly json?: unknown
  readonly means: Partial<Refusal>
}

const body = (error: string, description?: string): unknown => ({ error, error_description: description })
const dead: Partial<Refusal> = { outcome: 'terminal', reason: 'credential-dead' }
const unknown = (error?: string): Partial<Refusal> => ({ outcome: 'unavailable', understood: false, error })
const shopAway: Partial<Refusal> = { outcome: 'unavailable', understood: true }
const outage: Partial<Refusal> = { outcome: 'transient', conclusive: false }

/** The table of the token endpoint's errors, row by row. */
const TABLE: readonly Row[] = [
  {
    answer: 'the sentence that ends a refresh token',
    grants: ['refresh'],
    statuses: [401],
    json: body('invalid_request', DEAD_REFRESH_TOKEN),
    means: dead,
  },
  { answer: 'invalid_grant', grants: OF_A_CREDENTIAL, statuses: [400, 401], json: body('invalid_grant'), means: dead },
  {
    answer: 'invalid_subject_token',
    grants: ['id-token', 'migration'],
    statuses: [400],
    json: body('invalid_subject_token'),
    means: dead,
  },
  {
    answer: 'the variant of invalid_subject_token',
    grants: ['id-token', 'migration'],
    statuses: [400],
    json: body('invalid_request', 'Invalid subject token'),
    means: dead,
  },
  {
    answer: 'app_not_installed',
    grants: OF_A_CREDENTIAL,
    statuses: [400],
    json: body('app_not_installed'),
    means: { outcome: 'terminal', reason: 'app-not-installed' },
  },
  {
    answer: 'app_not_installed',
    grants: ['client-credentials'],
    statuses: [400, 401, 403, 404],
    json: body('app_not_installed'),
    means: { outcome: 'not-permitted', reason: 'app-not-installed' },
  },
  {
    answer: 'shop_not_permitted',
    grants: ['client-credentials'],
    statuses: [400, 401, 403],
    json: body('shop_not_permitted', 'Client credentials cannot be performed on this shop.'),
    means: { outcome: 'not-permitted', reason: 'shop-not-permitted' },
  },
  {
    answer: 'a code that was used',
    grants: ['code'],
    statuses: [400],
    json: body('invalid_request', DEAD_CODE),
    means: dead,
  },
  {
    answer: 'invalid_client',
    grants: EVERY,
    statuses: [400, 401, 403],
    json: body('invalid_client'),
    means: { outcome: 'misconfigured', error: 'invalid_client' },
  },
  {
    answer: 'an unknown application',
    grants: EVERY,
    statuses: [400, 401, 404],
    json: body('invalid_request', UNKNOWN_APP),
    means: { outcome: 'misconfigured', error: 'invalid_request' },
  },
  {
    answer: 'an unknown application in the form of the Admin API',
    grants: EVERY,
    statuses: [400, 404],
    json: { errors: UNKNOWN_APP },
    means: { outcome: 'misconfigured', error: '' },
  },
  {
    answer: 'unsupported_grant_type',
    grants: EVERY,
    statuses: [400],
    json: body('unsupported_grant_type'),
    means: { outcome: 'misconfigured', error: 'unsupported_grant_type' },
  },
  {
    answer: 'a shop that is frozen, gone, locked or suspected',
    grants: EVERY,
    statuses: [402, 403, 404, 423, 430],
    json: { errors: 'Unavailable Shop' },
    means: shopAway,
  },
  {
    answer: 'a page for a shop that is frozen, gone, locked or suspected',
    grants: EVERY,
    statuses: [402, 403, 404, 423, 430],
    means: shopAway,
  },
  { answer: 'a time-out', grants: EVERY, statuses: [408, 425], json: body('timeout'), means: outage },
  {
    answer: 'too many requests',
    grants: EVERY,
    statuses: [429],
    json: { errors: 'Exceeded' },
    means: { outcome: 'transient', conclusive: true },
  },
  {
    answer: 'an error of the server',
    grants: EVERY,
    statuses: [500, 502, 503, 504, 520, 599],
    json: body('server_error'),
    means: outage,
  },
  { answer: 'no JSON', grants: EVERY, statuses: [400, 401, 418, 520], means: outage },
  { answer: 'success without the tokens due', grants: EVERY, statuses: [200, 201, 299], json: {}, means: outage },
  { answer: 'success that is no JSON', grants: EVERY, statuses: [200, 204], means: outage },
  { answer: 'a redirect', grants: EVERY, statuses: [301, 302, 303, 307, 308], means: unknown() },
  { answer: 'a redirect that the platform hides', grants: EVERY, statuses: [0], means: unknown() },
  {
    answer: 'an unknown refusal',
    grants: EVERY,
    statuses: [400, 401, 405, 409, 418, 422],
    json: body('something_new', 'Something new'),
    means: unknown('something_new'),
  },
]

/** Answers that look like another row. */
const DECOYS: readonly Row[] = [
  {
    answer: 'the terminal sentence',
    grants: ['refresh'],
    statuses: [400],
    json: body('invalid_request', DEAD_REFRESH_TOKEN),
    means: unknown('invalid_request'),
  },
  {
    answer: 'the terminal sentence',
    grants: ['refresh'],
    statuses: [403],
    json: body('invalid_request', DEAD_REFRESH_TOKEN),
    means: shopAway,
  },
  {
    answer: 'the terminal sentence',
    grants: ['refresh'],
    statuses: [500, 503],
    json: body('invalid_request', DEAD_REFRESH_TOKEN),
    means: outage,
  },
  {
    answer: 'the terminal sentence under another error',
    grants: ['refresh'],
    statuses: [401],
    json: body('server_error', DEAD_REFRESH_TOKEN),
    means: unknown('server_error'),
  },
  {
    answer: 'the terminal sentence as the error itself',
    grants: ['refresh'],
    statuses: [401],
    json: body(DEAD_REFRESH_TOKEN),
    means: unknown(),
  },
  {
    answer: 'the terminal sentence without an error',
    grants: ['refresh'],
    statuses: [401],
    json: { error_description: DEAD_REFRESH_TOKEN },
    means: unknown(),
  },
  {
    answer: 'the terminal sentence in answer to something that is no refresh token',
    grants: EVERY.filter((grant) => grant !== 'refresh'),
    statuses: [401],
    json: body('invalid_request', DEAD_REFRESH_TOKEN),
    means: unknown('invalid_request'),
  },
  {
    answer: 'a page that quotes the terminal sentence',
    grants: ['refresh'],
    statuses: [401],
    json: DEAD_REFRESH_TOKEN,
    means: unknown(),
  },
  { answer: 'invalid_grant', grants: EVERY, statuses: [403], json: body('invalid_grant'), means: shopAway },
  { answer: 'invalid_grant', grants: EVERY, statuses: [500], json: body('invalid_grant'), means: outage },
  {
    answer: 'a dead subject token',
    grants: ['refresh'],
    statuses: [400],
    json: body('invalid_subject_token'),
    means: unknown('invalid_subject_token'),
  },
  {
    answer: 'a used code',
    grants: ['refresh'],
    statuses: [400],
    json: body('invalid_request', DEAD_CODE),
    means: unknown('invalid_request'),
  },
  {
    answer: 'app_not_installed',
    grants: OF_A_CREDENTIAL,
    statuses: [401, 422],
    json: body('app_not_installed'),
    means: unknown('app_not_installed'),
  },
  {
    answer: 'invalid_grant, where nothing but the client was presented',
    grants: ['client-credentials'],
    statuses: [400, 401],
    json: body('invalid_grant'),
    means: unknown('invalid_grant'),
  },
  {
    answer: 'shop_not_permitted, which is said of client credentials',
    grants: OF_A_CREDENTIAL,
    statuses: [400],
    json: body('shop_not_permitted'),
    means: unknown('shop_not_permitted'),
  },
  {
    answer: 'shop_not_permitted',
    grants: ['client-credentials'],
    statuses: [500],
    json: body('shop_not_permitted'),
    means: outage,
  },
  { answer: 'app_not_installed', grants: EVERY, statuses: [503], json: body('app_not_installed'), means: outage },
  { answer: 'invalid_client', grants: EVERY, statuses: [500, 503], json: body('invalid_client'), means: outage },
  { answer: 'an empty error', grants: EVERY, statuses: [400, 401], json: body(''), means: unknown('') },
  {
    answer: 'invalid_request for another reason',
    grants: EVERY,
    statuses: [400, 401],
    json: body('invalid_request', 'The request is missing a required parameter'),
    means: unknown('invalid_request'),
  },
  { answer: 'several choices', grants: EVERY, statuses: [300], json: {}, means: unknown() },
  {
    answer: 'an error of 64 letters',
    grants: EVERY,
    statuses: [400],
    json: body('a'.repeat(64)),
    means: unknown('a'.repeat(64)),
  },
  { answer: 'an error of 65 letters', grants: EVERY, statuses: [400], json: body('a'.repeat(65)), means: unknown() },
  { answer: 'a list', grants: EVERY, statuses: [400], json: ['invalid_client'], means: unknown() },
  { answer: 'null', grants: EVERY, statuses: [400], json: null, means: unknown() },
  { answer: 'an error that is a number', grants: EVERY, statuses: [400], json: { error: 7 }, means: unknown() },
  {
    answer: 'an error that quotes a secret of the request',
    grants: EVERY,
    statuses: [400],
    json: body('bad refresh_token shprt_0123'),
    means: unknown(),
  },
  { answer: 'an error of 10 kB', grants: EVERY, statuses: [400], json: body('a'.repeat(10_240)), means: unknown() },
]

const cases = (rows: readonly Row[]): [answer: string, grant: Grant, status: number, row: Row][] =>
  rows.flatMap((row) =>
    row.grants.flatMap((grant) =>
      row.statuses.map((status): [string, Grant, number, Row] => [row.answer, grant, status, row]),
    ),
  )

describe('the table of refusals', () => {
  it.each(cases(TABLE))('knows %s, to %s with status %i', (_answer, grant, status, { json, means }) => {
    expect(classifyRefusal(grant, status, json, undefined)).toMatchObject({ ...means, status })
  })

  it.each(cases(DECOYS))('is not deceived by %s, to %s with status %i', (_answer, grant, status, { json, means }) => {
    expect(classifyRefusal(grant, status, json, undefined)).toMatchObject({ ...means, status })
  })

  it.each([
    [429, 'transient'],
    [503, 'transient'],
    [402, 'unavailable'],
    [418, 'unavailable'],
  ])('passes on how long to wait with status %i', (status, outcome) => {
    expect(classifyRefusal('refresh', status, {}, 1_500)).toMatchObject({ outcome, retryAfterMs: 1_500 })
  })
})
