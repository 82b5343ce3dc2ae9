import { createSqliteFile } from '../races/token-database.js'
import type { ServerName } from '../server-urls.mjs'
import { createPostgresDatabase, describeWithServer, isReachable } from '../servers.js'
import { CALLS, CALLS_PER_PAGE, PAGES } from './catalogue.js'
import { fileDesk, queueDesk } from './desks.js'
import { HALFWAY, type Outcome, runJob, type Workplace } from './job-run.js'

jest.setTimeout(180_000)

interface Place extends Workplace {
  readonly name: string
  readonly needs: readonly ServerName[]
}

const plain: Place = {
  ...{ name: 'plain Node on SQLite', needs: [] },
  ...{ program: 'plain.mjs', openDatabase: createSqliteFile, openDesk: fileDesk },
}
const bullmq: Place = {
  ...{ name: 'a BullMQ worker on PostgreSQL', needs: ['Redis', 'PostgreSQL'] },
  ...{ program: 'worker.mjs', openDatabase: createPostgresDatabase, openDesk: queueDesk },
}
const nest: Place = {
  ...{ name: 'a NestJS processor on SQLite', needs: ['Redis'] },
  ...{ program: 'nest.mjs', openDatabase: createSqliteFile, openDesk: queueDesk },
}
/** With fewer it was over before the fourth had ended. */
const LEAST_TOKENS = 5

interface Runs {
  readonly whole: Promise<Outcome>
  readonly killed: Promise<Outcome>
}
const runs = new Map<Place, Runs>()

// They wait for Shopify most of the time, so they run beside each other.
beforeAll(() => {
  for (const place of [plain, bullmq, nest].filter(({ needs }) => needs.every(isReachable))) {
    runs.set(place, { whole: runJob(place, { kill: false }), killed: runJob(place, { kill: true }) })
  }
  for (const { whole, killed } of runs.values()) Promise.all([whole, killed]).catch(() => undefined)
})
afterAll(async () => {
  await Promise.allSettled([...runs.values()].flatMap(({ whole, killed }) => [whole, killed]))
})

function report(title: string, { calls, done, statuses, tokens }: Outcome, ...more: readonly string[]): void {
  const made = `${calls.graphql} calls by graphql, ${calls.fetch} by fetch, ${CALLS - done} failed`
  const answers = `answers ${JSON.stringify(statuses)}, ${tokens} access tokens`
  process.stdout.write(`${[title, ...more, made, answers].join('; ')}\n`)
}

function outlivesItsTokens(place: Place): void {
  it('finishes, and no call has failed', async () => {
    const outcome = await runs.get(place)!.whole
    report(place.name, outcome)

    expect(outcome.done).toBe(CALLS)
    expect(outcome.calls).toEqual({ graphql: CALLS / 2, fetch: CALLS / 2 })
    expect(outcome.repeated).toEqual(new Map())
    expect(outcome.statuses).toMatchObject({ 200: CALLS })
    expect(outcome.tokens).toBeGreaterThanOrEqual(LEAST_TOKENS)
    expect(outcome.atEnd).toMatchObject({ finished: true })
  })

  it('goes on at its checkpoint when it is killed half-way, and repeats one page', async () => {
    const outcome = await runs.get(place)!.killed
    const { atKill, repeated } = outcome
    const again = [...repeated].map(([page, calls]) => `page ${page} (${calls} calls)`)
    const checkpoint = `checkpoint behind page ${atKill?.position ?? 'none'} of ${PAGES}`
    report(place.name, outcome, `killed at call ${HALFWAY} of ${CALLS}`, checkpoint, `repeated ${again.join(', ')}`)

    const page = Math.ceil(HALFWAY / CALLS_PER_PAGE)
    expect(atKill).toEqual({ position: String(page - 1), finished: false })
    expect(repeated).toEqual(new Map([[page, CALLS_PER_PAGE / 2]]))
    expect(outcome.done).toBe(CALLS)
    expect(outcome.calls.graphql + outcome.calls.fetch).toBe(CALLS + CALLS_PER_PAGE / 2)
    expect(outcome.tokens).toBeGreaterThanOrEqual(LEAST_TOKENS)
    expect(outcome.atEnd).toMatchObject({ finished: true })
  })
}

const TITLE = 'a job of four hours and 2 000 calls, in'
describe(`${TITLE} ${plain.name}`, () => {
  outlivesItsTokens(plain)
})
describeWithServer('Redis', `${TITLE} ${bullmq.name}`, () => {
  describeWithServer('PostgreSQL', 'with its tokens there', () => {
    outlivesItsTokens(bullmq)
  })
})
describeWithServer('Redis', `${TITLE} ${nest.name}`, () => {
  outlivesItsTokens(nest)
})
