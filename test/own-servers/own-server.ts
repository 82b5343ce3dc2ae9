import { execFile } from 'node:child_process'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { programPath } from './binaries.js'
import { freePort } from './free-port.js'
import { GuardedProcess } from './guarded-process.js'
import type { Place, Recipe } from './recipe.js'

const execute = promisify(execFile)
const READY_WITHIN_MS = 60_000

/** In order (clients are sent away, nothing is left open), or as a crash. */
export type Ending = 'fast' | 'immediate'

/** A server of the test's own on a free port, with its data in a temporary folder. Ends with the test process. */
export class OwnServer {
  readonly url: string
  readonly port: number
  readonly #recipe: Recipe
  readonly #place: Place
  #process: GuardedProcess | undefined

  private constructor(recipe: Recipe, place: Place) {
    this.#recipe = recipe
    this.#place = place
    this.port = place.port
    this.url = recipe.url(place)
  }

  /** Sets a server up and starts it. */
  static async start(recipe: Recipe): Promise<OwnServer> {
    const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-server-'))
    const as: Place['as'] = process.getuid?.() === 0 && recipe.owner !== undefined ? await idsOf(recipe.owner) : {}
    if (as.uid !== undefined && as.gid !== undefined) await chown(folder, as.uid, as.gid)
    const place = { folder, as, port: await freePort() }
    const server = new OwnServer(recipe, place)
    try {
      if (recipe.setUp !== undefined) {
        const [program, ...args] = recipe.setUp(place)
        await execute(programPath(program), args, { ...as, cwd: folder })
      }
      await server.resume()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  /** Ends it; the data stay for {@link resume}. */
  async halt(ending: Ending): Promise<void> {
    this.thaw()
    await this.#process?.end(this.#recipe.signals[ending])
    this.#process = undefined
  }

  /** Starts it again on the same port with the same data (Redis keeps none), and resolves when it answers. */
  async resume(): Promise<void> {
    const { folder, as } = this.#place
    const [program, ...args] = this.#recipe.run(this.#place)
    const started = await GuardedProcess.start(programPath(program), args, folder, { ...as, cwd: folder })
    this.#process = started
    const deadline = Date.now() + READY_WITHIN_MS
    for (;;) {
      if (started.ended) throw new Error(`${program} ended at once:\n${started.output}`)
      try {
        await this.#recipe.ask(this.url)
        return
      } catch (error) {
        if (Date.now() > deadline) throw new Error(`${program} does not answer:\n${started.output}`, { cause: error })
      }
      await sleep(25)
    }
  }

  /** {@link halt}, then {@link resume}. */
  async restart(ending: Ending): Promise<void> {
    await this.halt(ending)
    await this.resume()
  }

  /** It keeps its connections and answers nothing more until {@link thaw}. */
  freeze(): void {
    this.#process?.signal('SIGSTOP')
  }

  thaw(): void {
    this.#process?.signal('SIGCONT')
  }

  /** Ends it and removes its data. May be called twice. */
  async stop(): Promise<void> {
    await this.halt('immediate')
    await rm(this.#place.folder, { recursive: true, force: true })
  }
}

async function idsOf(user: string): Promise<{ readonly uid: number; readonly gid: number }> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await execute('id', [flag, user])).stdout)),
  )
  if (uid === undefined || gid === undefined) throw new Error(`There is no user ${user} here.`)
  return { uid, gid }
}
