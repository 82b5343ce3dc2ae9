/** A complete HTTP answer that any framework can send as it is. */
export interface HttpReply {
  readonly status: number
  /** Names in lower case, `content-type` among them. A list is one header line each: `set-cookie`. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string
}
