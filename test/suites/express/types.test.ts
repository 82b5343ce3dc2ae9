import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { versionOf } from '../../matrix/resolved-version.js'

const root = resolve(__dirname, '../../..')
const types = join(root, 'test/matrix', MATRIX.project, 'node_modules/@types/express')

const APP = `
import express, { type RequestHandler, Router } from 'express'
import type { RequestTokenSource } from '@shopify-tokens/core'
import { type RequestAccess, requireScopes, shopifyAuth, type TokenManager, shopifyTokens, shopifyTokensErrorHandler, type ShopifyTokensOptions, shopifyWebhooks } from '@shopify-tokens/express'

declare const source: RequestTokenSource
declare const manager: TokenManager

const app = express()
const middleware = shopifyTokens()
app.use(middleware)
const opened: Promise<TokenManager> = middleware.ready
const given: Promise<RequestTokenSource> = shopifyTokens({ tokens: source }).ready
const kept: Promise<TokenManager> = shopifyTokens({ tokens: manager, lazy: true }).ready
const either = (options: ShopifyTokensOptions<TokenManager> = {}): Promise<TokenManager> => shopifyTokens(options).ready
const anything = (options: ShopifyTokensOptions = {}): Promise<RequestTokenSource> => shopifyTokens(options).ready
const handler: RequestHandler = shopifyTokens({ shopOf: async (request) => request.get('x-session-shop'), refreshAheadMs: 60_000 })
app.get('/orders/:id', async (request, response) => {
  const access: RequestAccess = request.shopify
  const { data } = await request.shopify.graphql<{ order: { name: string } }>('{ order { name } }')
  response.json({ id: request.params.id.length, shop: access.shop, name: data?.order.name })
})
Router().use('/api', handler, (request, response) => { response.json(request.shopify.scopes) })
const routes: RequestHandler = shopifyAuth({ tokens: middleware, onInstalled: async ({ shop, scopes }) => [shop, ...scopes] })
app.use(routes, shopifyWebhooks({ tokens: manager, handlers: { 'orders/create': ({ shop, payload }) => [shop, payload] } }))
app.post('/orders/:id', requireScopes('write_orders'), (request, response) => { response.json(request.params.id.length) })
app.use(shopifyTokensErrorHandler({ authPath: '/begin' }))

// @ts-expect-error no source of tokens
shopifyTokens({ tokens: 1 })
// @ts-expect-error no source that can exchange a code
shopifyAuth({ tokens: shopifyTokens({ tokens: source }) })
// @ts-expect-error no such option
shopifyWebhooks({ tokens: manager, topics: [] })
// @ts-expect-error no such option
shopifyTokens({ lasy: true })
// @ts-expect-error the environment says this
shopifyTokens({ clientId: 'app' })
// @ts-expect-error settings of the manager belong to who made it
shopifyTokens({ tokens: source, refreshAheadMs: 60_000 })
export { anything, either, given, kept, opened }
`

it("fits the types of Express's version, with req.shopify on every request", () => {
  const version = versionOf(join(types, 'index.d.ts'), '@types/express')
  process.stdout.write(`${MATRIX.project}: @types/express ${version}\n`)
  expect(version).toBe(MATRIX.versions['@types/express'])

  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (file) => readFileSync(file, 'utf8')) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      noEmit: true,
      paths: {
        express: [join(types, 'index.d.ts')],
        '@shopify-tokens/typeorm-store/from-environment': ['./packages/typeorm-store/src/from-environment.ts'],
        '@shopify-tokens/*': ['./packages/*/src/index.ts'],
      },
    },
    root,
  )
  const file = join(root, 'test', 'app-of-a-user.mts')
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, APP, ts.ScriptTarget.ES2023) : getSourceFile(name, ...rest)

  const program = ts.createProgram([file], options, host)
  const diagnostics = ts.getPreEmitDiagnostics(program, program.getSourceFile(file))

  expect(ts.formatDiagnostics(diagnostics, { ...host, getNewLine: () => '\n' })).toBe('')
})
