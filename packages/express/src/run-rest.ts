import type { IncomingMessage } from 'node:http'
import { type RequestAccess, runInRequest } from '@shopify-tokens/core'

/**
 * Runs the rest of the request with its shop and its access at hand. The events of a body that has not been read yet are raised by the
 * connection, which knows no shop: they are brought into the context, for body parsers and handlers that stream.
 */
export function runRest(access: RequestAccess, request: IncomingMessage, next: () => void): void {
  if (hasUnreadBody(request)) {
    const emit = request.emit.bind(request) as (...args: unknown[]) => boolean
    request.emit = (...args: unknown[]) => runInRequest(access, () => emit(...args))
  }
  runInRequest(access, () => {
    next()
  })
}

function hasUnreadBody({ headers, readableEnded }: IncomingMessage): boolean {
  return !readableEnded && (headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0)
}
