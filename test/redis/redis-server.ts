import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis6'

/** A Redis of the test's own, without persistence, to be killed or stopped. */
export class RedisServer {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port
    this.#child = child
    this.#folder = folder
  }

  /** Starts one on a free port. */
  static async start(): Promise<RedisServer> {
    const port = await freePort()
    const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-redis-'))
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
    const server = new RedisServer(port, spawn('redis-server', place, { stdio: 'ignore' }), folder)
    const admin = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: 250 })
    admin.on('error', () => undefined)
    await admin.ping()
    admin.disconnect()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${String(this.port)}`
  }

  /** It keeps its connections and answers nothing more. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  async close(): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}
