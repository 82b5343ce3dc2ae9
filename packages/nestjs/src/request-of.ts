import type { EventEmitter } from 'node:events'
import type { RequestFacts } from '@shopify-tokens/core'
import type { ArgumentsHost, ExecutionContext } from '@nestjs/common'

/** A request of Express or Fastify, as far as both agree. */
export interface HttpRequest {
  readonly method?: string
  readonly url?: string
  /** Express: the path before any mounting. */
  readonly originalUrl?: string
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly query?: unknown
}

/** The context of a GraphQL operation, as Apollo on Express and Fastify, and Mercurius, hand it over. */
interface GraphqlContext {
  readonly req?: HttpRequest
  readonly request?: HttpRequest
  readonly reply?: { readonly request?: HttpRequest }
}

/** What a request says about itself. Nothing that a proxy may have added counts, and no shop that it merely names. */
export function factsOf(context: ArgumentsHost): RequestFacts {
  const { headers, query, method, url, originalUrl } = httpRequestOf(context) ?? {}
  return {
    authorization: oneOf(headers?.authorization),
    idToken: (query as { readonly id_token?: unknown } | null | undefined)?.id_token,
    method,
    url: originalUrl ?? url,
    accept: oneOf(headers?.accept),
    fetchDest: oneOf(headers?.['sec-fetch-dest']),
  }
}

/** A header that is given at most once. */
export function oneOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

/** The whole path as the client has sent it, the application's prefix included. */
export function pathOf({ url = '', originalUrl = url }: HttpRequest): string {
  const query = originalUrl.indexOf('?')
  return query === -1 ? originalUrl : originalUrl.slice(0, query)
}

function httpRequestOf(context: ArgumentsHost): HttpRequest | undefined {
  switch (context.getType<string>()) {
    case 'http':
      return context.switchToHttp().getRequest<HttpRequest>()
    case 'graphql': {
      const { req, request, reply } = context.getArgByIndex<GraphqlContext | undefined>(2) ?? {}
      return req ?? request ?? reply?.request
    }
    default:
      return undefined
  }
}

/**
 * What is there once for each call of a handler, whoever in front of it looks; `undefined`: nothing is. A connection of
 * WebSockets serves many calls, and the fields of one GraphQL operation share a request.
 */
export function callOf(context: ExecutionContext): object | undefined {
  switch (context.getType<string>()) {
    case 'http':
      return context.switchToHttp().getRequest<object>()
    case 'graphql':
      return context.getArgByIndex<object | undefined>(3)
    default:
      return undefined
  }
}

/** Node's own response, which tells when the client has gone; `undefined` outside HTTP. */
export function responseOf(context: ExecutionContext): EventEmitter | undefined {
  if (context.getType() !== 'http') return undefined
  const response = context.switchToHttp().getResponse<EventEmitter & { readonly raw?: EventEmitter }>()
  return response.raw ?? response
}
