import { createHmac } from 'node:crypto'
import type { TokenManager } from '@shopify-tokens/core'
import { CLIENT_SECRET, closeAll, type ManagedApp, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

const NEW_SECRET = 'test-client-secret-of-next-year'

/** What is signed with a client secret: how it comes to be, and what accepts it. */
interface Signed {
  readonly what: string
  /** Made by Shopify, or by another process of the app, with this secret. */
  make(app: ManagedApp, clientSecret: string): unknown
  /** Throws, or answers with nothing, when it is refused. */
  accept(tokens: TokenManager, made: never): unknown
}

const PURPOSE = 'test'

const SIGNED: readonly Signed[] = [
  {
    what: 'session tokens',
    make: ({ shopify }, secret) => shopify.sessionToken(shop, { secret }),
    accept: (tokens, made: string) => tokens.verifySessionToken(made),
  },
  {
    what: 'callbacks',
    make: ({ clock }, secret) => {
      const query = { code: 'c0de', shop, state: 'st4te', timestamp: String(Math.floor(clock.now() / 1000)) }
      const text = new URLSearchParams(query).toString()
      return { ...query, hmac: createHmac('sha256', secret).update(text).digest('hex') }
    },
    accept: (tokens, made: object) => tokens.signatures.verifyCallback(made),
  },
  {
    what: 'webhooks',
    make: ({ shopify }, secret) => shopify.webhook('app/uninstalled', shop, { secret }),
    accept: (tokens, made: { headers: Record<string, string>; body: string }) =>
      tokens.signatures.verifyWebhook(Buffer.from(made.body), made.headers['x-shopify-hmac-sha256']),
  },
  {
    what: 'own cookies',
    make: ({ anotherProcess }, clientSecret) =>
      anotherProcess({ clientSecret }).signatures.seal(PURPOSE, { of: 'mine' }, 60_000),
    accept: (tokens, made: string) => tokens.signatures.open(PURPOSE, made),
  },
]

async function isAccepted({ accept }: Signed, tokens: TokenManager, made: unknown): Promise<boolean> {
  try {
    return Boolean(await accept(tokens, made as never))
  } catch {
    return false
  }
}

describe.each(SIGNED.map((signed) => [signed.what, signed] as const))('%s', (_what, signed) => {
  it.each([
    ['during a rotation', { clientSecret: NEW_SECRET, previousClientSecret: CLIENT_SECRET }, [true, true, false]],
    ['before it', { clientSecret: CLIENT_SECRET }, [true, false, false]],
    ['after it', { clientSecret: NEW_SECRET }, [false, true, false]],
  ] as const)('are accepted when signed with a secret that is configured, %s', async (_when, options, accepted) => {
    const app = await managedApp()
    const tokens = app.anotherProcess(options)

    const results = [CLIENT_SECRET, NEW_SECRET, 'a stranger’s'].map((secret) =>
      isAccepted(signed, tokens, signed.make(app, secret)),
    )

    expect(await Promise.all(results)).toEqual(accepted)
  })
})

it('whatever Shopify signs while it has two secrets is accepted by a process that has both', async () => {
  const { anotherProcess, shopify } = await managedApp()
  shopify.addClientSecret(NEW_SECRET)
  const tokens = anotherProcess({ clientSecret: NEW_SECRET, previousClientSecret: CLIENT_SECRET })
  const { body, headers } = shopify.webhook('app/uninstalled', shop)

  expect(await tokens.verifySessionToken(shopify.sessionToken(shop))).toMatchObject({ shop })
  expect(tokens.signatures.verifyWebhook(Buffer.from(body), headers['x-shopify-hmac-sha256'])).toBe(true)
})
