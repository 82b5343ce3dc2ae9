import { errorAnswer } from './error-answer.js'
import type { HttpReply } from './http-reply.js'
import type { RequestFacts } from './open-request.js'

export interface ErrorReplyOptions {
  /** The app's path that begins authorization. */
  readonly authPath: string
  /** Whether the OAuth routes are there, so that documents can be sent to them. */
  readonly documents: boolean
}

/**
 * The whole answer to a request that an error of this project has ended; `null`: not one of ours, the app's own error
 * handling decides.
 */
export function errorReply(error: unknown, _facts: RequestFacts, { authPath }: ErrorReplyOptions): HttpReply | null {
  const answer = errorAnswer(error, { authPath })
  if (answer === null) return null
  const { status, headers, body } = answer
  return {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
    body: JSON.stringify(body),
  }
}
