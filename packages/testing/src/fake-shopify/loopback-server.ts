import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** More than any request to the token endpoint or the stub needs. */
const BODY_LIMIT = 1_048_576

/** A private key and its certificate, PEM both. */
export interface TlsIdentity {
  readonly key: string
  readonly cert: string
}

/** An HTTP server on 127.0.0.1, over TLS with an identity, that can leave its port and come back to it. */
export class LoopbackServer {
  readonly #listener: RequestListener
  readonly #tls: TlsIdentity | undefined
  #server: Server | undefined
  #port: number

  constructor(listener: RequestListener, port: number, tls?: TlsIdentity) {
    this.#listener = listener
    this.#port = port
    this.#tls = tls
  }

  get url(): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(this.#port)}`
  }

  /** Listens; from the second time on, at the port of the first. Does nothing while it listens. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return
    // An idle connection that the server ends meets the next request of a pooling client half-way and resets it.
    const options = { keepAliveTimeout: 0 }
    const server =
      this.#tls === undefined
        ? createServer(options, this.#listener)
        : createSecureServer({ ...options, ...this.#tls }, this.#listener)
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
