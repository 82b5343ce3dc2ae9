import { createTokenManager, type DeploymentRegister, MemoryTokenStore, type TokenManager } from '@shopify-tokens/core'
import { aKey } from '@shopify-tokens/testing'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  closeAll,
  HOUR_MS,
  type ManagedApp,
  managedApp,
  shop,
  someShops,
} from './managed-app.js'

afterEach(closeAll)

const FOREIGN = { code: 'ERR_FOREIGN_DEPLOYMENT', retryable: false }

/** The store's register in the test's hand. */
function registerOf({ store }: ManagedApp): DeploymentRegister {
  if (store.deployments === undefined) throw new Error('The memory store keeps the deployment on record')
  return store.deployments
}

/** A manager whose register is another one than its store's. */
function withRegister(app: ManagedApp, deployments: Partial<DeploymentRegister>, deploymentId?: string): TokenManager {
  const { store } = app
  return app.anotherProcess({
    deploymentId,
    store: {
      get: (key) => store.get(key),
      put: (key, record, expected) => store.put(key, record, expected),
      scan: (query) => store.scan(query),
      ask: (key) => store.ask(key),
      deployments: { ...registerOf(app), ...deployments },
    },
  })
}

describe('the deployment that was named first', () => {
  it('is kept on record by the first renewal, and renews', async () => {
    const app = await managedApp({ deploymentId: 'production' })
    await app.seed({ ageMs: 2 * HOUR_MS })
    expect(await registerOf(app).read(CLIENT_ID)).toBeNull()

    await app.tokens.token(shop)
    await app.anotherProcess().force(shop)

    expect(await registerOf(app).read(CLIENT_ID)).toBe('production')
    expect(app.eventsOf('deployment.foreign')).toEqual([])
  })

  it.each([
    ['another name', 'staging'],
    ['no name', undefined],
  ])('keeps a process with %s from calling Shopify and from writing', async (_title, deploymentId) => {
    const app = await managedApp({ deploymentId: 'production' })
    await app.seed({ ageMs: 2 * HOUR_MS, shop: aKey().shop })
    const before = await app.seed({ ageMs: 2 * HOUR_MS })
    await registerOf(app).write(CLIENT_ID, 'production', null)
    const copy = app.anotherProcess({ deploymentId })
    const idToken = app.shopify.sessionToken(shop)

    await expect(copy.token(shop)).rejects.toMatchObject(FOREIGN)
    await expect(copy.token(shop, { idToken })).rejects.toMatchObject(FOREIGN)
    await expect(copy.force(shop)).rejects.toMatchObject(FOREIGN)
    await expect(copy.acquire(shop, { idToken })).rejects.toMatchObject(FOREIGN)

    expect(app.tokenCalls()).toBe(0)
    expect(await app.record()).toEqual(before)
    expect(await registerOf(app).read(CLIENT_ID)).toBe('production')
  })

  it('lets other processes serve the tokens that still work, and renew none behind', async () => {
    const behind: Promise<void>[] = []
    const app = await managedApp({ background: (work) => behind.push(work) })
    const { accessToken } = await app.seed({ ageMs: HOUR_MS - 60_000 })
    await registerOf(app).write(CLIENT_ID, 'production', null)

    for (let n = 0; n < 3; n++) expect((await app.tokens.token(shop)).value).toBe(accessToken)
    await Promise.all(behind)

    expect(app.tokenCalls()).toBe(0)
    expect(app.eventsOf('deployment.foreign')).toHaveLength(1)
  })

  it('is one of two that begin at the same time', async () => {
    const app = await managedApp()
    const shops = someShops(2)
    for (const each of shops) await app.seed({ ageMs: 2 * HOUR_MS, shop: each })

    const outcomes = await Promise.allSettled([
      app.anotherProcess({ deploymentId: 'a' }).token(shops[0] ?? shop),
      app.anotherProcess({ deploymentId: 'b' }).token(shops[1] ?? shop),
    ])

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find((each) => each.status === 'rejected')?.reason).toMatchObject(FOREIGN)
  })

  it('is told of to the operator once, not by every refused run, and again when it has changed back', async () => {
    const app = await managedApp({ deploymentId: 'staging' })
    await registerOf(app).write(CLIENT_ID, 'production', null)
    const shops = someShops(50)
    for (const each of shops) await app.seed({ ageMs: 2 * HOUR_MS, shop: each })

    await Promise.allSettled(shops.map((each) => app.tokens.token(each)))
    for (const each of shops) await app.tokens.token(each).catch(() => undefined)
    expect(app.eventsOf('deployment.foreign')).toHaveLength(1)

    await app.tokens.adoptDeployment()
    await app.tokens.token(shops[0] ?? shop)
    await registerOf(app).write(CLIENT_ID, 'production', 'staging')
    await app.clock.advance(30_000)
    await expect(app.tokens.force(shops[0] ?? shop)).rejects.toMatchObject(FOREIGN)
    expect(app.eventsOf('deployment.foreign')).toHaveLength(2)
  })
})

describe('the deployment on record', () => {
  it('is looked up once for all runs that begin together, and again after revalidateMs', async () => {
    const app = await managedApp()
    const read = jest.fn(() => Promise.resolve('production'))
    const tokens = withRegister(app, { read }, 'production')
    const shops = someShops(20)
    for (const each of shops) await app.seed({ ageMs: 2 * HOUR_MS, shop: each })

    await Promise.all(shops.map((each) => tokens.token(each)))
    await tokens.force(shops[0] ?? shop)
    expect(read).toHaveBeenCalledTimes(1)

    await app.clock.advance(30_000)
    await tokens.force(shops[0] ?? shop)
    expect(read).toHaveBeenCalledTimes(2)
  })

  it('is never looked up for tokens that are served', async () => {
    const app = await managedApp()
    const read = jest.fn(() => Promise.resolve('production'))
    const tokens = withRegister(app, { read })
    await app.seed()

    for (let n = 0; n < 5; n++) await tokens.token(shop)
    expect(read).not.toHaveBeenCalled()
  })

  it('that another deployment has adopted is noticed after revalidateMs', async () => {
    const app = await managedApp({ deploymentId: 'production' })
    await app.seed({ ageMs: 2 * HOUR_MS })
    await app.tokens.token(shop)
    const moved = app.anotherProcess({ deploymentId: 'new-home' })
    expect(await moved.adoptDeployment()).toBe(true)
    await moved.force(shop)

    await app.clock.advance(30_000)
    await expect(app.tokens.force(shop)).rejects.toMatchObject(FOREIGN)
    expect((await app.tokens.token(shop)).value).toBeDefined()
  })

  it('keeps renewals waiting when it cannot be read, and no valid token from being served', async () => {
    const behind: Promise<void>[] = []
    const app = await managedApp({ background: (work) => behind.push(work) })
    const read = jest.fn(() => Promise.reject(new Error('ECONNREFUSED')))
    const tokens = withRegister(app, { read }, 'production')
    const expired = aKey().shop
    await app.seed({ ageMs: 2 * HOUR_MS, shop: expired })
    const { accessToken } = await app.seed({ ageMs: HOUR_MS - 60_000 })

    await expect(tokens.token(expired)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: true })
    expect((await tokens.token(shop)).value).toBe(accessToken)
    await Promise.all(behind)

    expect(app.shopify.counters().tokenCalls).toBe(0)
    expect(app.eventsOf('deployment.foreign')).toEqual([])
    read.mockImplementation(() => Promise.resolve('production') as never)
    expect(app.shopify.accessTokenState(expired, (await tokens.token(expired)).value)).toBe('live')
  })

  it('is named by nobody when naming it fails, and by the next renewal', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    const write = jest.fn(registerOf(app).write)
    write.mockImplementationOnce(() => Promise.reject(new Error('ECONNRESET')))
    const tokens = withRegister(app, { write }, 'production')

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(app.tokenCalls()).toBe(0)

    await tokens.token(shop)
    expect(await registerOf(app).read(CLIENT_ID)).toBe('production')
  })

  it('of one app says nothing of another app’s in the same store', async () => {
    const app = await managedApp({ deploymentId: 'production' })
    await registerOf(app).write('another-client-id', 'staging', null)
    await app.seed({ ageMs: 2 * HOUR_MS })

    await app.tokens.token(shop)
    expect(await registerOf(app).read('another-client-id')).toBe('staging')
  })
})

describe('adopting a deployment', () => {
  it('lets this one renew at once, without a restart', async () => {
    const app = await managedApp({ deploymentId: 'new-home' })
    await app.seed({ ageMs: 2 * HOUR_MS })
    await registerOf(app).write(CLIENT_ID, 'production', null)
    await expect(app.tokens.token(shop)).rejects.toMatchObject(FOREIGN)

    expect(await app.tokens.adoptDeployment()).toBe(true)
    expect(await app.tokens.adoptDeployment()).toBe(false)

    expect(app.shopify.accessTokenState(shop, (await app.tokens.token(shop)).value)).toBe('live')
  })

  it('names the first one too', async () => {
    const app = await managedApp({ deploymentId: 'production' })

    expect(await app.tokens.adoptDeployment()).toBe(true)
    expect(await registerOf(app).read(CLIENT_ID)).toBe('production')
  })

  it('tries again when another one was written meanwhile', async () => {
    const app = await managedApp()
    const { read, write } = registerOf(app)
    let reads = 0
    const late = withRegister(
      app,
      {
        read: async (clientId) => {
          const onRecord = await read(clientId)
          if (++reads === 1) await write(clientId, 'meanwhile', onRecord)
          return onRecord
        },
      },
      'new-home',
    )

    expect(await late.adoptDeployment()).toBe(true)
    expect(await read(CLIENT_ID)).toBe('new-home')
  })

  it('ends when the register takes nothing, and may be tried again', async () => {
    const app = await managedApp()
    const write = jest.fn(() => Promise.resolve(false))
    const stubborn = withRegister(app, { write }, 'new-home')

    await expect(stubborn.adoptDeployment()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: true })
    expect(write.mock.calls.length).toBeLessThan(1_000)
  })

  it('is refused without a name of its own', async () => {
    const { tokens } = await managedApp()

    await expect(tokens.adoptDeployment()).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      options: ['deploymentId'],
    })
  })

  it('fails when the store is away', async () => {
    const app = await managedApp()
    const away = (): Promise<never> => Promise.reject(new Error('ECONNREFUSED'))

    await expect(withRegister(app, { read: away }, 'production').adoptDeployment()).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
  })
})

describe('the option deploymentId', () => {
  const options = {
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    sealing: 'unsealed-tokens-readable-in-store',
  } as const

  it.each([[''], ['two words'], ['x'.repeat(65)], [7], [null]])('is refused as no name: %p', (deploymentId) => {
    expect(() =>
      createTokenManager({ ...options, store: new MemoryTokenStore(), deploymentId: deploymentId as string }),
    ).toThrow(/deploymentId/)
  })

  it('is refused when the store keeps no deployment on record', () => {
    const store = Object.assign(new MemoryTokenStore(), { deployments: undefined })

    expect(() => createTokenManager({ ...options, store, deploymentId: 'production' })).toThrow(
      'Option deploymentId needs a store that keeps the deployment on record.',
    )
  })

  it('may be left out with a store that keeps none: nothing is checked', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    const { store } = app
    const tokens = app.anotherProcess({
      store: {
        get: (key) => store.get(key),
        put: (key, record, expected) => store.put(key, record, expected),
        scan: (query) => store.scan(query),
        ask: (key) => store.ask(key),
      },
    })

    expect(app.shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
  })
})
