import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** More than any request to the token endpoint or the stub needs. */
const BODY_LIMIT = 1_048_576

/** An HTTP server on 127.0.0.1 that can leave its port and come back to it. */
export class LoopbackServer {
  readonly #listener: RequestListener
  #server: Server | undefined
  #port: number

  constructor(listener: RequestListener, port: number) {
    this.#listener = listener
    this.#port = port
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`
  }

  /** Listens; from the second time on, at the port of the first. Does nothing while it listens. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return
    // An idle connection that the server ends meets the next request of a pooling client half-way and resets it.
    const server = createServer({ keepAliveTimeout: 0 }, this.#listener)
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
  }

  /** Stops listening and cuts every connection. May be called twice. */
  async shut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
}

/** Reads a request's body as text. Rejects when the client breaks off or sends more than 1 MiB. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_LIMIT) throw new RangeError('The request body is larger than 1 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
