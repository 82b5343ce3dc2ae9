import { randomUUID } from 'node:crypto'
import type { DeliveryKey, DeliveryLog, DeliveryState } from '@shopify-tokens/core'
import { CellReader } from './cells.js'
import { inSession, type Reach, rowsOf, type Run } from './session.js'
import { type Parameters, type Statement, toStatement } from './statement.js'

/** As long as {@link DeliveryLog} asks for. */
const KEPT_MS = 30 * 24 * 3_600_000
const PRUNED_EVERY_MS = 3_600_000
/** Few enough that nobody waits for the locks of one pruning. */
const PRUNED_AT_ONCE = 1_000

/** One row per delivery: claimed until an instant, or done. */
export class TableOfDeliveries implements DeliveryLog {
  readonly #reach: Reach
  readonly #table: string
  /** When (monotonic) old rows are looked for next. */
  #pruneAt = -Infinity

  /** @param table The table's quoted name. */
  constructor(reach: Reach, table: string) {
    this.#reach = reach
    this.#table = table
  }

  /** Each of the two writes is a compare-and-set in one statement; where neither changes a row, the row decides. */
  async begin(delivery: DeliveryKey, leaseMs: number): Promise<DeliveryState> {
    const claim = randomUUID()
    const state = await inSession<DeliveryState>(this.#reach, undefined, async (run) => {
      for (;;) {
        if (await changes(run, this.#insert(delivery, claim, leaseMs))) return { outcome: 'run', claim }
        if (await changes(run, this.#takeOver(delivery, claim, leaseMs))) return { outcome: 'run', claim }
        const outcome = await this.#outcome(run, delivery)
        if (outcome !== null) return { outcome }
      }
    })
    this.#prune()
    return state
  }

  async finish(delivery: DeliveryKey): Promise<void> {
    await inSession(this.#reach, undefined, async (run) => {
      for (;;) {
        if (await changes(run, this.#markDone(delivery))) return
        if (await changes(run, this.#insert(delivery, null, 0))) return
        if ((await this.#outcome(run, delivery)) === 'done') return
      }
    })
  }

  async release(delivery: DeliveryKey, claim: string): Promise<void> {
    const { sql, parameters } = this.#statement(
      (p) =>
        `UPDATE ${this.#table} SET claimed_until = 0 ` +
        `WHERE client_id = ${p.add(delivery.clientId)} AND delivery = ${p.add(delivery.id)} AND claim = ${p.add(claim)}`,
    )
    await inSession(this.#reach, undefined, async (run) => {
      while ((await run(sql, parameters)) === 'lost');
    })
  }

  /** `null`: there is no row. */
  async #outcome(run: Run, { clientId, id }: DeliveryKey): Promise<'running' | 'done' | null> {
    const [cells] = await rowsOf(
      run,
      this.#statement(
        (p) => `SELECT claim FROM ${this.#table} WHERE client_id = ${p.add(clientId)} AND delivery = ${p.add(id)}`,
      ),
    )
    if (cells === undefined) return null
    return new CellReader(cells, undefined).isNull('claim') ? 'done' : 'running'
  }

  #insert({ clientId, id }: DeliveryKey, claim: string | null, leaseMs: number): Statement {
    return this.#statement(
      (p) =>
        `INSERT INTO ${this.#table} (client_id, delivery, claim, claimed_until, noted_at) ` +
        `VALUES (${p.add(clientId)}, ${p.add(id)}, ${p.add(claim)}, ${p.now()} + ${p.add(leaseMs)}, ${p.now()}) ` +
        this.#reach.dialect.onKeyTaken('client_id, delivery'),
    )
  }

  /** From a run that was interrupted. */
  #takeOver({ clientId, id }: DeliveryKey, claim: string, leaseMs: number): Statement {
    return this.#statement(
      (p) =>
        `UPDATE ${this.#table} SET claim = ${p.add(claim)}, claimed_until = ${p.now()} + ${p.add(leaseMs)} ` +
        `WHERE client_id = ${p.add(clientId)} AND delivery = ${p.add(id)} ` +
        `AND claim IS NOT NULL AND claimed_until <= ${p.now()}`,
    )
  }

  #markDone({ clientId, id }: DeliveryKey): Statement {
    return this.#statement(
      (p) =>
        `UPDATE ${this.#table} SET claim = NULL, noted_at = ${p.now()} ` +
        `WHERE client_id = ${p.add(clientId)} AND delivery = ${p.add(id)} AND claim IS NOT NULL`,
    )
  }

  /**
   * Takes out rows that nobody asks for any more, behind the call that came along. A role that may not delete keeps them
   * all; what fails is tried again in an hour.
   */
  #prune(): void {
    const now = this.#reach.clock.monotonic()
    if (now < this.#pruneAt) return
    this.#pruneAt = now + PRUNED_EVERY_MS
    this.#pruneOnce().then(
      (isAll) => {
        if (!isAll) this.#pruneAt = now
      },
      () => undefined,
    )
  }

  /** Resolves with whether that was all of them. By instants and not by rows: no two databases delete a number of rows alike. */
  #pruneOnce(): Promise<boolean> {
    return inSession(this.#reach, undefined, async (run) => {
      const [last] = await rowsOf(
        run,
        this.#statement(
          (p) =>
            `SELECT noted_at FROM ${this.#table} WHERE ${isOld(p)} ` +
            `ORDER BY noted_at LIMIT 1 OFFSET ${PRUNED_AT_ONCE - 1}`,
        ),
      )
      const { sql, parameters } = this.#statement((p) => {
        const until = last === undefined ? null : new CellReader(last, undefined).integer('noted_at')
        return `DELETE FROM ${this.#table} WHERE ${until === null ? isOld(p) : `noted_at <= ${p.add(until)}`}`
      })
      await run(sql, parameters)
      return last === undefined
    })
  }

  #statement(text: (parameters: Parameters) => string): Statement {
    const { dialect, clock } = this.#reach
    return toStatement(dialect, () => clock.now(), text)
  }
}

/** In a query of its own: PostgreSQL's clock may tell another time for each row, so that no index would help. */
function isOld(p: Parameters): string {
  return `noted_at < (SELECT ${p.now()} - ${KEPT_MS})`
}

/** Whether the statement has changed a row. */
async function changes(run: Run, { sql, parameters }: Statement): Promise<boolean> {
  const answer = await run(sql, parameters)
  return answer !== 'lost' && answer.changed > 0
}
