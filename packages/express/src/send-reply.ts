import type { ServerResponse } from 'node:http'
import type { HttpReply } from '@shopify-tokens/core'
import type { NextFunction } from 'express'

/** What the app has set already stays: its cookies, and what its CORS middleware exposes. */
const ADDED = new Set(['set-cookie', 'access-control-expose-headers'])

/** Sends an answer as it is. */
export function sendReply(response: ServerResponse, { status, headers, body }: HttpReply): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) {
    if (ADDED.has(name)) response.appendHeader(name, value)
    else response.setHeader(name, value)
  }
  response.end(body)
}

/** Sends the answer when it comes, unless somebody else has answered. Without one the request goes on. */
export function sendOrGoOn(coming: Promise<HttpReply | null>, response: ServerResponse, next: NextFunction): void {
  coming
    .then((reply) => {
      if (reply !== null && !response.headersSent) sendReply(response, reply)
      return reply === null
    })
    .then((goesOn) => {
      if (goesOn) next()
    }, next)
}
