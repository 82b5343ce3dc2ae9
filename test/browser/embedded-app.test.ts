import { fileURLToPath } from 'node:url'
import { describeInBrowser } from './chromium.js'
import { expressApp } from './express-app.js'
import { nestApp } from './nest-app.js'
import { ADMIN, IN_ADMIN, setStage, shop, type Stage, type StageOptions } from './stage.js'
import { APP_HOST, openTheatre, type Theatre } from './theatre.js'

/** Set to 1 to take the pictures in docs/pictures. */
const TAKES_PICTURES = process.env.SHOPIFY_TOKENS_TEST_PICTURES === '1'
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** The parameter with which Shopify says where the admin is. */
const HOST = Buffer.from('admin.shopify.com/store/acme').toString('base64url')
const INSTALL = 'admin.shopify.com/store/acme/oauth/install'
const AUTHORIZE = `${shop}/admin/oauth/authorize`
/** From the begin of authorization back to the app in the admin. */
const SENT_STRAIGHT_BACK = [
  `top ${APP_HOST}/auth`,
  `top ${AUTHORIZE}`,
  `top ${APP_HOST}/auth/callback`,
  `top ${ADMIN}`,
  `app ${APP_HOST}/`,
]
/** The same when the merchant has to press a button, which brings the authorize page a second request. */
const ASKED = SENT_STRAIGHT_BACK.flatMap((step) => (step === `top ${AUTHORIZE}` ? [step, step] : [step]))

jest.setTimeout(60_000)

for (const [framework, makeApp] of Object.entries({ 'Express 5': expressApp, 'NestJS 12': nestApp })) {
  describeInBrowser(`an app in the admin, on ${framework}`, () => {
    let theatre: Theatre
    let stage: Stage | undefined

    beforeAll(async () => {
      theatre = await openTheatre()
    })
    afterAll(async () => {
      await theatre.browser.close()
    })

    afterEach(async () => {
      const complaints = stage?.merchant.takeComplaints()
      await stage?.close()
      stage = undefined
      expect(complaints).toEqual([])
    })

    async function set(options: StageOptions = {}): Promise<Stage> {
      stage = await setStage(theatre, makeApp, options)
      return stage
    }

    async function picture(name: string): Promise<void> {
      const path = fileURLToPath(new URL(`../../docs/pictures/browser-${name}.png`, import.meta.url))
      if (TAKES_PICTURES && makeApp === expressApp) await stage?.merchant.page.screenshot({ path })
    }

    /** As if the merchant had been here before: installed, with a pair in the store, and the page open. */
    async function opened(options: StageOptions = {}): Promise<Stage> {
      const { shopify, merchant } = await set(options)
      shopify.installShop(shop, { scopes: ['read_products'] })
      await merchant.opens(IN_ADMIN)
      await merchant.sees('Snowboard')
      merchant.startsAfresh()
      shopify.resetCounters()
      return stage!
    }

    it('is installed through the authorize page and opened in the admin, for one token call', async () => {
      const { merchant, shopify, installed } = await set()
      await merchant.opens(IN_ADMIN)
      await picture('install')
      await merchant.presses('Install')
      await merchant.sees('Snowboard')
      await picture('embedded')
      expect(merchant.way).toEqual([`top ${ADMIN}`, `top ${INSTALL}`, `top ${APP_HOST}/`, ...ASKED])
      expect(installed).toEqual([shop])
      expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 1, authorizeVisits: 1, adminCalls: 1 })
      expect(shopify.counters(shop).tokenCallsByGrant.code.granted).toBe(1)
    })

    it('is not installed by a merchant who cancels, who is told so and led nowhere', async () => {
      const { merchant, shopify, installed } = await set()
      await merchant.opens(`https://${APP_HOST}/auth?shop=${shop}`)
      await merchant.presses('Cancel')
      await merchant.isTold('ERR_INVALID_CALLBACK')
      expect(merchant.way.at(-1)).toBe(`top ${APP_HOST}/auth/callback`)
      expect(merchant.takeComplaints()).toEqual([`400 GET ${APP_HOST}/auth/callback`])
      expect(installed).toEqual([])
      expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 0, authorizeVisits: 1 })
    })

    it('gets its first token with the first document, where the merchant has installed it without the app', async () => {
      const { merchant, shopify } = await set()
      shopify.installShop(shop, { scopes: ['read_products'] })
      await merchant.opens(`${IN_ADMIN}/settings`)
      await merchant.seesPage('Settings')
      await merchant.sees('Snowboard')
      expect(merchant.way).toEqual([`top ${ADMIN}/settings`, `app ${APP_HOST}/settings`])
      expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 1, authorizeVisits: 0 })
      expect(shopify.counters(shop).tokenCallsByGrant['id-token'].granted).toBe(1)
    })

    it('goes on when the token has expired, for one token call and without leaving the page', async () => {
      const { clock, merchant, shopify } = await opened()
      clock.jump(2 * HOUR_MS)
      await merchant.pressesInApp('Show products')
      await merchant.sees('until 15:00')
      await picture('renewed')
      expect(merchant.way).toEqual([])
      expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 1, adminCallsByStatus: { 200: 1 } })
      expect(shopify.counters(shop).tokenCallsByGrant.refresh.granted).toBe(1)
    })

    it.each([
      ['fetch', []],
      ['navigate', [`app ${APP_HOST}/`]],
    ] as const)('is reloaded by way of the bounce page when its ID token has expired: %s', async (how, last) => {
      const { clock, merchant, shopify } = await opened({ appBridgeReload: how })
      clock.jump(10 * MINUTE_MS)
      await merchant.reloadsApp()
      await merchant.sees('Snowboard')
      expect(merchant.way).toEqual([`app ${APP_HOST}/`, `app ${APP_HOST}/auth/bounce`, ...last])
      expect(shopify.counters(shop).tokenCalls).toBe(0)
    })

    it('is opened in the admin for a merchant who comes to its own address', async () => {
      const { merchant } = await opened()
      await merchant.opens(`https://${APP_HOST}/settings?${new URLSearchParams({ shop, host: HOST }).toString()}`)
      await merchant.seesPage('Settings')
      await merchant.sees('Snowboard')
      expect(merchant.way).toEqual([
        `top ${APP_HOST}/settings`,
        `top ${APP_HOST}/auth/bounce`,
        `top ${ADMIN}/settings`,
        `app ${APP_HOST}/settings`,
      ])
    })

    it('has App Bridge repeat a request with a new ID token, once', async () => {
      const { merchant, shopify } = await opened()
      const stale = shopify.sessionToken(shop, { defect: 'expired' })
      await merchant.page.route('**/internal/id-token', (route) => route.fulfill({ body: stale }), { times: 1 })
      await merchant.pressesInApp('Show products')
      await merchant.sees('Snowboard')
      expect(merchant.takeComplaints()).toEqual([`401 GET ${APP_HOST}/products`])
      expect(merchant.way).toEqual([])
    })

    it('does not go in circles when its client secret is wrong', async () => {
      const { merchant, shopify } = await opened()
      shopify.addClientSecret('unknown to the app')
      shopify.revokeClientSecret('test-client-secret')
      await merchant.opens(IN_ADMIN)
      await merchant.app.getByText('ERR_INVALID_SESSION_TOKEN').waitFor()
      expect(merchant.way).toEqual([`top ${ADMIN}`, `app ${APP_HOST}/`])
      expect(merchant.takeComplaints()).toEqual([`401 GET ${APP_HOST}/`])
    })

    it('loses its tokens to the uninstall webhook; the next visit leads to the installation, which works', async () => {
      const { clock, merchant, shopify, tokens, webhookUrl } = await opened()
      clock.jump(10 * MINUTE_MS)
      shopify.uninstall(shop)
      expect(await shopify.deliverWebhook(webhookUrl, 'app/uninstalled', shop)).toEqual([200])
      await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
      expect(shopify.counters(shop).tokenCalls).toBe(0)
      await merchant.opens(IN_ADMIN)
      await merchant.presses('Install')
      await merchant.sees('Snowboard')
      expect(merchant.way).toEqual([`top ${ADMIN}`, `top ${INSTALL}`, `top ${APP_HOST}/`, ...ASKED])
      expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 1, authorizeVisits: 1 })
    })

    it('recovers a dead shop within the request, as long as there is an ID token', async () => {
      const { clock, merchant, shopify, refreshToken } = await opened()
      shopify.revokeToken(shop, await refreshToken())
      clock.jump(2 * HOUR_MS)
      await merchant.pressesInApp('Show products')
      await merchant.sees('Snowboard')
      expect(merchant.way).toEqual([])
      const { refresh, 'id-token': exchange } = shopify.counters(shop).tokenCallsByGrant
      expect([refresh.refused, exchange.granted]).toEqual([1, 1])
      expect(shopify.counters(shop)).toMatchObject({ authorizeVisits: 0, adminCallsByStatus: { 200: 1 } })
    })

    it('leaves the frame for authorization when a shop has no token and the app takes no ID tokens', async () => {
      const { merchant, shopify } = await set({ named: true })
      shopify.installShop(shop, { scopes: ['read_products'] })
      await merchant.opens(`${IN_ADMIN}/settings`)
      await merchant.sees('Snowboard')
      expect(merchant.way).toEqual([
        `top ${ADMIN}/settings`,
        `app ${APP_HOST}/settings`,
        `app ${APP_HOST}/auth`,
        ...SENT_STRAIGHT_BACK.map((step) => step.replace(ADMIN, `${ADMIN}/settings`).replace(/^app .*/, '$&settings')),
      ])
      expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 1, authorizeVisits: 1 })
    })

    it('is led to authorization by a fetch whose shop is dead, when the app takes no ID tokens', async () => {
      const { clock, merchant, shopify, refreshToken, tokens } = await set({ named: true })
      shopify.installShop(shop, { scopes: ['read_products'] })
      await tokens.acquire(shop, { code: shopify.issueCode(shop) })
      await merchant.opens(IN_ADMIN)
      await merchant.sees('until 13:00')
      shopify.revokeToken(shop, await refreshToken())
      clock.jump(2 * HOUR_MS)
      merchant.startsAfresh()
      await merchant.pressesInApp('Show products')
      await merchant.sees('until 15:00')
      expect(merchant.way).toEqual(SENT_STRAIGHT_BACK)
      expect(merchant.takeComplaints()).toEqual([`403 GET ${APP_HOST}/products`])
    })

    it('asks the merchant once for a scope that it needs, and has it from then on', async () => {
      const { merchant, shopify } = await opened()
      await merchant.pressesInApp('Raise prices')
      await merchant.page.getByRole('button', { name: 'Update' }).waitFor()
      await picture('scopes')
      await merchant.presses('Update')
      await merchant.sees('Snowboard')
      expect(merchant.way).toEqual(ASKED)
      expect(merchant.takeComplaints()).toEqual([`403 POST ${APP_HOST}/prices`])
      await merchant.pressesInApp('Raise prices')
      await merchant.sees('Raised, with write_products')
      expect(merchant.way).toEqual(ASKED)
      expect(shopify.counters(shop).authorizeVisits).toBe(1)
      expect(shopify.counters(shop).tokenCallsByGrant.code.granted).toBe(1)
    })

    it('asks once and no more when the merchant does not want to grant the scope', async () => {
      const { merchant, shopify } = await opened()
      await merchant.pressesInApp('Raise prices')
      await merchant.presses('Cancel')
      await merchant.isTold('ERR_INVALID_CALLBACK')
      await picture('declined')
      expect(merchant.way).toEqual(ASKED.slice(0, 4))
      expect(merchant.takeComplaints()).toEqual([`403 POST ${APP_HOST}/prices`, `400 GET ${APP_HOST}/auth/callback`])
      expect(shopify.counters(shop).authorizeVisits).toBe(1)
      await merchant.opens(IN_ADMIN)
      await merchant.sees('Snowboard')
    })
  })
}
