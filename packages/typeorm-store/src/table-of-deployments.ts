import type { DeploymentRegister } from '@shopify-tokens/core'
import { CellReader } from './cells.js'
import { inSession, type Reach, rowsOf, type Run } from './session.js'
import type { Statement } from './statement.js'

/** Names the deployment of each app, one row per client id. */
export class TableOfDeployments implements DeploymentRegister {
  readonly #reach: Reach
  readonly #table: string

  /** @param table The table's quoted name. */
  constructor(reach: Reach, table: string) {
    this.#reach = reach
    this.#table = table
  }

  /** Reads on the primary. */
  async read(clientId: string): Promise<string | null> {
    return inSession(this.#reach, undefined, (run) => this.#read(run, clientId))
  }

  /** Compare-and-set in one statement; where a deadlock undid it, the row decides. */
  async write(clientId: string, deployment: string, expected: string | null): Promise<boolean> {
    const { sql, parameters } =
      expected === null ? this.#insert(clientId, deployment) : this.#update(clientId, deployment, expected)
    return inSession(this.#reach, undefined, async (run) => {
      for (;;) {
        const answer = await run(sql, parameters)
        if (answer !== 'lost' && answer.changed > 0) return true
        if ((await this.#read(run, clientId)) !== expected) return false
      }
    })
  }

  async #read(run: Run, clientId: string): Promise<string | null> {
    const [client] = this.#places(1)
    const sql = `SELECT deployment FROM ${this.#table} WHERE client_id = ${client}`
    const [cells] = await rowsOf(run, { sql, parameters: [clientId] })
    return cells === undefined ? null : new CellReader(cells, undefined).text('deployment')
  }

  #insert(clientId: string, deployment: string): Statement {
    const sql =
      `INSERT INTO ${this.#table} (client_id, deployment, revision) VALUES (${this.#places(3).join(', ')}) ` +
      this.#reach.dialect.onKeyTaken('client_id')
    return { sql, parameters: [clientId, deployment, 1] }
  }

  /** The revision makes every update change something: what changes nothing may count as no row. */
  #update(clientId: string, deployment: string, expected: string): Statement {
    const [name, client, present] = this.#places(3)
    const { nextRevision, returning } = this.#reach.dialect
    const sql =
      `UPDATE ${this.#table} SET deployment = ${name}, revision = ${nextRevision} ` +
      `WHERE client_id = ${client} AND deployment = ${present} ${returning}`
    return { sql, parameters: [deployment, clientId, expected] }
  }

  #places(count: number): string[] {
    return Array.from({ length: count }, (_, index) => this.#reach.dialect.placeholder(index + 1))
  }
}
