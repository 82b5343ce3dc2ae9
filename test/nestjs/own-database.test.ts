import 'reflect-metadata'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { staticKeyRing } from '@shopify-tokens/core'
import { ShopifyTokens, ShopifyTokensModule } from '@shopify-tokens/nestjs'
import { FakeShopify } from '@shopify-tokens/testing'
import { tokenMigrations, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import { DataSource } from 'typeorm'

const shop = 'first.myshopify.com'
const folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-nestjs-'))
const before = { ...process.env }
let shopify: FakeShopify

beforeAll(async () => {
  shopify = await FakeShopify.start({ clientId: 'nest-app', clientSecret: 'nest-app-secret' })
  shopify.installShop(shop)
})
beforeEach(() => {
  shopify.resetCounters()
})
afterEach(() => {
  process.env = { ...before }
})
afterAll(async () => {
  await shopify.close()
  rmSync(folder, { recursive: true })
})

/** A DataSource for the tokens alone, made and ended by a module that the tokens' module imports. */
@Injectable()
class TokenDatabase implements OnApplicationShutdown {
  readonly dataSource = new DataSource({
    type: 'better-sqlite3',
    database: join(folder, 'own.sqlite'),
    enableWAL: true,
    timeout: 50,
    migrations: tokenMigrations(),
    migrationsRun: true,
  })

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy()
  }
}

@Module({
  providers: [
    TokenDatabase,
    {
      provide: DataSource,
      inject: [TokenDatabase],
      useFactory: ({ dataSource }: TokenDatabase) => dataSource.initialize(),
    },
  ],
  exports: [DataSource],
})
class TokenDatabaseModule {}

it('keeps its tokens in a DataSource that the application hands over', async () => {
  const sealing = staticKeyRing([{ id: 'k1', bytes: randomBytes(32) }])
  const start = async (): Promise<{ tokens: ShopifyTokens; close: () => Promise<void> }> => {
    @Injectable()
    class Jobs {
      constructor(@Inject(ShopifyTokens) readonly tokens: ShopifyTokens) {}
    }
    const module = await Test.createTestingModule({
      imports: [
        ShopifyTokensModule.forRootAsync({
          imports: [TokenDatabaseModule],
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => ({
            store: new TypeOrmTokenStore(dataSource),
            clientId: 'nest-app',
            clientSecret: 'nest-app-secret',
            sealing,
            fetch: shopify.fetch,
          }),
        }),
      ],
      providers: [Jobs],
    }).compile()
    await module.init()
    return { tokens: module.get(Jobs).tokens, close: () => module.close() }
  }

  const first = await start()
  const idToken = shopify.sessionToken(shop)
  const { value } = await first.tokens.token(shop as never, { idToken })
  await first.close()

  const second = await start()
  expect((await second.tokens.token(shop as never)).value).toBe(value)
  await second.close()
  expect(shopify.counters(shop).tokenCalls).toBe(1)
})

describe('without options', () => {
  function configure(env: Record<string, string>): void {
    Object.assign(process.env, {
      SHOPIFY_API_KEY: 'nest-app',
      SHOPIFY_API_SECRET: 'nest-app-secret',
      SHOPIFY_TOKENS_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      ...env,
    })
  }
  const compile = (options?: Parameters<typeof ShopifyTokensModule.forRoot>[0]) =>
    Test.createTestingModule({ imports: [ShopifyTokensModule.forRoot(options)] }).compile()

  it('configures itself from the environment and has its store open when the application starts', async () => {
    configure({ SHOPIFY_TOKENS_DATABASE_URL: `sqlite:${join(folder, 'environment.sqlite')}` })
    const module = await compile({ fetch: shopify.fetch })

    const idToken = shopify.sessionToken(shop)
    const { value } = await module.get(ShopifyTokens).token(shop as never, { idToken })
    expect(value).toMatch(/^shpat_/)
    await module.close()
  })

  it('does not start when the store cannot be opened, and says why', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    configure({ SHOPIFY_TOKENS_DATABASE_URL: 'postgres://tokens:hidden-password@127.0.0.1:1/tokens' })

    const failure = await compile().then(
      () => null,
      (error: unknown) => error as Error,
    )
    expect(failure).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^The token store could not be opened: /), expect.anything()],
    ])
    expect(String(failure) + JSON.stringify(warn.mock.calls)).not.toContain('hidden-password')
    warn.mockRestore()
  })

  it('does not start when the environment names what is no place for a store', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    configure({ SHOPIFY_TOKENS_DATABASE_URL: 'sqlite::memory:' })

    await expect(compile()).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      options: ['SHOPIFY_TOKENS_DATABASE_URL'],
    })
    warn.mockRestore()
  })

  it('names all missing variables at once when the application starts', async () => {
    delete process.env.SHOPIFY_API_KEY
    delete process.env.SHOPIFY_API_SECRET

    await expect(compile()).rejects.toThrow(/SHOPIFY_API_KEY.*SHOPIFY_API_SECRET/)
  })

  it.each([
    ['unknown options', { refreshAhead: 1 }, ['refreshAhead']],
    ['options that the environment has', { clientId: 'other', sealing: 'x' }, ['clientId', 'sealing']],
  ])('refuses %s before it opens anything', async (_what, options, names) => {
    configure({})

    await expect(compile(options as never)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', options: names })
  })
})
