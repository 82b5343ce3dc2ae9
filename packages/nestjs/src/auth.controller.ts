import { Get, Inject, NotFoundException, Req, Res } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import type { AuthRoutes } from './auth-routes.js'
import { WithoutShopify } from './decorators.js'
import { AUTH_ROUTES } from './providers.js'
import { type HttpRequest, oneOf, pathOf } from './request-of.js'
import { sendReply } from './send-reply.js'

/** The routes of authorization. The module makes a controller of it when the option `auth` is given. */
@WithoutShopify()
export class ShopifyAuthController {
  readonly #routes: AuthRoutes
  readonly #adapters: HttpAdapterHost

  constructor(@Inject(AUTH_ROUTES) routes: AuthRoutes, @Inject(HttpAdapterHost) adapters: HttpAdapterHost) {
    this.#routes = routes
    this.#adapters = adapters
  }

  @Get(['', 'callback', 'bounce', 'exit-iframe'])
  async answer(@Req() request: HttpRequest, @Res() response: unknown): Promise<void> {
    const { method = '', query, headers = {} } = request
    const reply = await this.#routes.flow.handle({
      ...{ method, path: pathOf(request), query },
      ...{ cookies: oneOf(headers.cookie), fetchDest: oneOf(headers['sec-fetch-dest']) },
    })
    if (reply === null) throw new NotFoundException()
    sendReply(this.#adapters.httpAdapter, response, reply)
  }
}
