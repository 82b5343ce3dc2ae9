import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { REQUIRED_SCOPES } from './providers.js'
import { RequestOpener } from './request-opener.js'

/**
 * Lets calls through whose shop has granted the scopes of `@RequireScopes()`, which puts this guard where it stands. It
 * finds the shop by itself, and `ShopifyTokenInterceptor` behind it takes over what it has found.
 *
 * Rejects with `ERR_SCOPE_MISSING`, and with what the interceptor rejects with; the module's exception filter answers.
 */
@Injectable()
export class ShopifyScopesGuard implements CanActivate {
  readonly #requests: RequestOpener
  readonly #reflector: Reflector

  constructor(@Inject(RequestOpener) requests: RequestOpener, @Inject(Reflector) reflector: Reflector) {
    this.#requests = requests
    this.#reflector = reflector
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const marked = [context.getHandler(), context.getClass()]
    const scopes = this.#reflector.getAllAndMerge<readonly string[]>(REQUIRED_SCOPES, marked)
    const access = await this.#requests.open(context)
    await access.requireScopes(...scopes)
    return true
  }
}
