import { type ReauthorizationReason, ReauthorizationRequiredError } from '@shopify-tokens/core'
import { aMark, aRecord } from '@shopify-tokens/testing'
import { reauthorizationUrl } from '../../packages/core/src/oauth/merchant-links.js'
import { CLIENT_ID, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

const OPENS = `https://acme.myshopify.com/admin/apps/${CLIENT_ID}`
const INSTALLS = `https://acme.myshopify.com/admin/oauth/install?client_id=${CLIENT_ID}`

describe('where a merchant is sent', () => {
  it.each<[ReauthorizationReason, string]>([
    ['not-installed', INSTALLS],
    ['removed', INSTALLS],
    ['app-not-installed', INSTALLS],
    ['refresh-token-rejected', OPENS],
    ['access-token-rejected', OPENS],
  ])('for %s is %s', (reason, url) => {
    expect(reauthorizationUrl(reason, shop, CLIENT_ID)).toBe(url)
  })

  it('stays on the shop whatever the client id holds', () => {
    for (const clientId of ['../../x?y=1#z', '//evil.example/', '\\evil', '%2e%2e', '&client_id=b']) {
      for (const reason of ['removed', 'refresh-token-rejected'] as const) {
        const { hash, host, pathname, searchParams } = new URL(reauthorizationUrl(reason, shop, clientId))
        expect([host, hash]).toEqual([shop, ''])
        if (reason === 'removed') expect(searchParams.getAll('client_id')).toEqual([clientId])
        else expect(decodeURIComponent(pathname)).toBe(`/admin/apps/${clientId}`)
      }
    }
  })
})

describe('the error that asks for the merchant', () => {
  const cases: [reason: ReauthorizationReason, url: string, arrange: (app: ManagedApp) => Promise<unknown>][] = [
    ['not-installed', INSTALLS, () => Promise.resolve()],
    ['removed', INSTALLS, ({ put }) => put(aRecord.removed())],
    [
      'app-not-installed',
      INSTALLS,
      async ({ seed, shopify }) => {
        await seed({ ageMs: 2 * HOUR_MS })
        shopify.faults.next(shop, { kind: 'app-not-installed' })
      },
    ],
    [
      'refresh-token-rejected',
      OPENS,
      async ({ seed, shopify }) => {
        await seed({ ageMs: 2 * HOUR_MS })
        shopify.faults.next(shop, { kind: 'terminal' })
      },
    ],
    [
      'access-token-rejected',
      OPENS,
      ({ clock, seed }) =>
        seed({ ageMs: 2 * HOUR_MS, mark: aMark({ reason: 'access-token-rejected', at: clock.now() }) }),
    ],
  ]

  it.each(cases)('says where to send them: %s', async (reason, url, arrange) => {
    const app = await managedApp()
    await arrange(app)

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ reason, url })
  })

  it('says so to a merchant whose session token Shopify answers with app_not_installed', async () => {
    const { shopify, tokens } = await managedApp()
    shopify.faults.next(shop, { kind: 'app-not-installed' })

    await expect(tokens.token(shop, { idToken: shopify.sessionToken(shop) })).rejects.toMatchObject({ url: INSTALLS })
  })

  it('has no address when it was made without one', () => {
    expect(new ReauthorizationRequiredError('removed', {}).url).toBeUndefined()
  })
})
