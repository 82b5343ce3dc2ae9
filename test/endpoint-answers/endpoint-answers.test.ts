import { errorAnswer, type Grant, type TokenRecord } from '@shopify-tokens/core'
import { closeAll, shop } from '../core/managed-app.js'
import { MarkdownDocument } from '../docs/markdown.js'
import { ANSWERS, type EndpointAnswer, type Given, PROTOCOL } from './answers.js'
import { GRANTS, type Outcome, SENT } from './outcomes.js'
import { type Outcry, play } from './stage.js'

afterEach(closeAll)

const COOL_DOWN_MS = { 'cools down, up to a minute': 60_000, 'cools down, up to an hour': 3_600_000 } as const

/** The row that the outcome wants, made of the one that was there. */
function rowAfter({ row, attempt }: Outcome, grant: Grant, { before, presented }: Outcry): unknown {
  const attempts = attempt === 'in doubt' ? [expect.objectContaining({ grant, credential: presented })] : []
  const kept = { ...before, attempts, sweepAt: expect.anything() as unknown }
  if (row === 'as it was') return { ...kept, sweepAt: null }
  if (row in COOL_DOWN_MS) {
    const coolDown = { until: expect.any(Number) as unknown, failures: 21, scope: 'all', stuck: false }
    return { ...kept, sweepAt: sweepAt(before, attempts), coolDown }
  }
  const [, reason] = /`(.*)`/.exec(row) ?? []
  return {
    ...kept,
    sweepAt: sweepAt(before, attempts),
    coolDown: null,
    mark: expect.objectContaining({ reason }) as unknown,
  }
}

/** A row without tokens is swept only for what is in doubt. */
function sweepAt(before: TokenRecord | null, attempts: readonly unknown[]): unknown {
  return before?.kind === 'expiring' || attempts.length > 0 ? (expect.any(Number) as unknown) : null
}

async function holds({ outcome }: EndpointAnswer, grant: Grant, given: Given): Promise<void> {
  const outcry = await play(grant, given)
  const { after, app, error, response } = outcry

  expect(after).toEqual(rowAfter(outcome, grant, outcry))
  if (outcome.row in COOL_DOWN_MS) {
    const coolDownMs = given.coolDownMs ?? COOL_DOWN_MS[outcome.row as keyof typeof COOL_DOWN_MS]
    expect(app.eventsOf('renewal.failed')).toEqual([expect.objectContaining({ code: outcome.code, coolDownMs })])
    expect(after?.coolDown?.until).toBe((app.eventsOf('renewal.failed')[0]?.at ?? 0) + coolDownMs)
  }
  expect([...new Set(app.events.map(({ type }) => type))]).toEqual(outcome.events)

  const { tokenCalls, tokenCallsByGrant } = app.shopify.counters(shop)
  const isRepeated = outcome.sent !== 'once' && grant !== 'code' && given.asksForLong !== true
  if (isRepeated) expect(tokenCalls).toBeGreaterThan(1)
  else expect(tokenCalls).toBe(1)
  const { granted, refused, replayed, unprocessed } = tokenCallsByGrant[grant]
  expect(granted + refused + replayed + unprocessed).toBe(tokenCalls)
  expect(app.shopify.strayRequests).toBe(0)

  expect(error.code).toBe(outcome.code)
  const answer = errorAnswer(error, { authPath: '/auth' })
  const [, status, header] = /^(\d+)(?:, `(.+)`)?$/.exec(outcome.http) ?? []
  expect(answer?.status).toBe(Number(status))
  expect(
    Object.keys(answer?.headers ?? {})
      .filter((name) => TELLING.test(name))
      .map((name) => name.toLowerCase()),
  ).toEqual(header === undefined ? [] : [header.toLowerCase()])
  expect(response.status).toBe(answer?.status)
  for (const [name, value] of Object.entries(answer?.headers ?? {}))
    expect(response.headers[name.toLowerCase()]).toBe(value)
  expect(response.body).toEqual(answer?.body)
}

/** The headers on which a client acts; the address comes along with the first. */
const TELLING = /^retry-after$|^x-shopify-.*(?:reauthorize|session-request)$/i

describe.each(ANSWERS.flatMap((row) => row.to.map((grant) => [row.answer, SENT[grant], row, grant] as const)))(
  '%s (%s)',
  (_answer, _sent, row, grant) => {
    const given = row.given.filter(({ to }) => to?.includes(grant) ?? true)

    it.each(given.map((each) => [JSON.stringify(each.fault), each] as const))(
      `leads to ${row.outcome.code}: %s`,
      async (_fault, each) => {
        await holds(row, grant, each)
      },
    )
  },
)

describe('the table of what the token endpoint answers', () => {
  const cells = ({ answer, outcome, to }: EndpointAnswer): string[] => [
    answer,
    to.length === GRANTS.length ? 'anything' : to.map((grant) => SENT[grant]).join(', '),
    outcome.sent,
    `${outcome.row}${outcome.attempt === 'in doubt' ? '; the attempt stays' : ''}`,
    outcome.events.map((type) => `\`${type}\``).join(', ') || 'none',
    `\`${outcome.code}\``,
    outcome.http,
  ]

  it('is the one in docs/errors.md, row by row', () => {
    const { rows } = new MarkdownDocument('docs/errors.md').table('What the token endpoint answers')
    expect(rows).toEqual(ANSWERS.map(cells))
  })

  it('has every row of the protocol, and no other', () => {
    const { rows } = new MarkdownDocument('docs/shopify-protocol.md').table('Errors of the token endpoint')
    expect(rows.map(([answer]) => answer)).toEqual(Object.values(PROTOCOL))
    expect(new Set(ANSWERS.map(({ protocol }) => protocol))).toEqual(new Set(Object.values(PROTOCOL)))
  })

  it('tries every row', () => {
    for (const { given, to } of ANSWERS) {
      for (const grant of to) expect(given.filter((each) => each.to?.includes(grant) ?? true)).not.toEqual([])
    }
  })
})
