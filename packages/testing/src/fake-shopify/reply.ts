import type { ServerResponse } from 'node:http'
import type { WireAnswer } from './wire-answer.js'

/** The client's end of one request: it can be answered once, cut, or left waiting. */
export class Reply {
  readonly #response: ServerResponse
  readonly #headers: () => Readonly<Record<string, string>>
  readonly #sent: (status: number) => void

  /** `headers` gives what every answer carries; `sent` learns the status of an answer that goes out. */
  constructor(
    response: ServerResponse,
    headers: () => Readonly<Record<string, string>>,
    sent: (status: number) => void = () => undefined,
  ) {
    this.#response = response
    this.#headers = headers
    this.#sent = sent
  }

  /** Sends an answer whole. Does nothing when the client has gone. */
  send(answer: WireAnswer): void {
    if (this.#start(answer)) this.#response.end(answer.body)
  }

  /** Announces the whole answer, sends half of its body and cuts the connection. */
  sendHalf(answer: WireAnswer): void {
    if (!this.#start(answer)) return
    this.#response.write(answer.body.slice(0, Math.floor(answer.body.length / 2)), () => {
      this.#response.socket?.destroy()
    })
  }

  /** Cuts the connection as a crashing peer does. */
  reset(): void {
    this.#response.socket?.resetAndDestroy()
  }

  #start({ status, headers, body }: WireAnswer): boolean {
    if (this.#response.destroyed || this.#response.headersSent) return false
    this.#response.sendDate = false
    const all = { ...headers, ...this.#headers(), 'content-length': String(Buffer.byteLength(body)) }
    this.#response.writeHead(status, all)
    this.#sent(status)
    return true
  }
}
