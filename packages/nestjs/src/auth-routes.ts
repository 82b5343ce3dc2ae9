import { AuthFlow, type AuthOptions, type TokenManager } from '@shopify-tokens/core'
import { RequestMethod } from '@nestjs/common'
import type { ApplicationConfig } from '@nestjs/core'

/** The routes of authorization, where the application has them: below its global prefix, which is set after modules are made. */
export class AuthRoutes {
  readonly #application: ApplicationConfig
  readonly #flowAt: (authPath: string) => AuthFlow
  readonly #authPath: string
  #flow: AuthFlow | undefined

  /** @throws InvalidOptionError `ERR_INVALID_OPTION` */
  constructor(options: AuthOptions, tokens: () => TokenManager, application: ApplicationConfig) {
    this.#application = application
    this.#flowAt = (authPath) => new AuthFlow(tokens, { ...options, authPath })
    this.#authPath = new AuthFlow(tokens, options).authPath
  }

  get flow(): AuthFlow {
    return (this.#flow ??= this.#flowAt(this.#prefixed(this.#authPath)))
  }

  #prefixed(path: string): string {
    const prefix = this.#application.getGlobalPrefix().replace(/^\/|\/$/g, '')
    const { exclude = [] } = this.#application.getGlobalPrefixOptions()
    const isExcluded = exclude.some(
      ({ requestMethod, pathRegex }) =>
        [RequestMethod.ALL, RequestMethod.GET].includes(requestMethod) && pathRegex.test(path),
    )
    return prefix === '' || isExcluded ? path : `/${prefix}${path}`
  }
}
