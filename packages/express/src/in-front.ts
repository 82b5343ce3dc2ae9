import type { AuthFlow } from '@shopify-tokens/core'
import type { Request } from 'express'
import type { RequestSettings } from './options.js'

/** What our handlers in front of a request's handler know, and those behind them need. */
export interface InFront {
  /** The routes of authorization: documents may be sent there. */
  readonly auth?: AuthFlow
  /** The request has passed the routes of webhooks. */
  readonly webhooks?: true
  /** How the middleware in front serves requests. */
  readonly settings?: RequestSettings
}

const IN_FRONT = Symbol('@shopify-tokens/express in front')

interface NotedRequest {
  [IN_FRONT]?: InFront
}

/** Notes it on the request: what counts is which handlers a request has passed, not which an app has made. */
export function noteInFront(request: Request & NotedRequest, note: InFront): void {
  request[IN_FRONT] = { ...request[IN_FRONT], ...note }
}

/** What the handlers have noted that this request has passed. */
export function inFrontOf(request: Request & NotedRequest): InFront {
  return request[IN_FRONT] ?? {}
}
