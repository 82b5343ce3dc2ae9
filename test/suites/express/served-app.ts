import { shopifyTokens, type GivenTokens } from '@shopify-tokens/express'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { managedApp, type ManagedApp } from '../../core/managed-app.js'

export { closeAll, HOUR_MS, shop } from '../../core/managed-app.js'

export const QUERY = '{ shop { name } }'

export interface ServedApp extends ManagedApp {
  readonly app: Express
  /** Resolves when `n` requests have reached the app, whatever became of them since. */
  arrived(n: number): Promise<void>
  /** What reached the app's own error handler. */
  readonly errors: unknown[]
}

/**
 * An Express app over a manager and a fake Shopify. `GET /token` answers with the token at hand, `GET /shop` asks the
 * Admin API; `routes` come after the middleware, `before` in front of it.
 */
export async function servedApp({
  before = [],
  routes,
  managed,
  ...options
}: Partial<GivenTokens> & {
  readonly before?: readonly RequestHandler[]
  readonly routes?: (app: Express) => void
  readonly managed?: Parameters<typeof managedApp>[0]
} = {}): Promise<ServedApp> {
  const backend = await managedApp(managed)
  const arrivals = new Arrivals()
  const errors: unknown[] = []
  const app = express()
  app.use((_request, _response, next) => {
    arrivals.add()
    next()
  })
  for (const handler of before) app.use(handler)
  app.use(shopifyTokens({ tokens: backend.tokens, ...options }))
  app.get('/token', (request, response) => {
    response.json({ shop: request.shopify.shop, value: request.shopify.accessToken })
  })
  app.get('/shop', (request, response, next) => {
    request.shopify.graphql(QUERY).then((answer) => response.json(answer), next)
  })
  routes?.(app)
  const keep: ErrorRequestHandler = (error, _request, response, next) => {
    errors.push(error)
    if (response.headersSent) next(error)
    else response.status(500).send("the app's own error page")
  }
  app.use(keep)
  return { ...backend, app, errors, arrived: (n) => arrivals.reached(n) }
}

class Arrivals {
  #count = 0
  #waiting: { readonly n: number; readonly resolve: () => void }[] = []

  add(): void {
    this.#count += 1
    for (const { n, resolve } of this.#waiting) if (this.#count >= n) resolve()
  }

  async reached(n: number): Promise<void> {
    if (this.#count < n) await new Promise<void>((resolve) => this.#waiting.push({ n, resolve }))
  }
}
