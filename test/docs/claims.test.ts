import { fingerprint } from '@shopify-tokens/core'
import { shopifyTokens } from '@shopify-tokens/express'
import { aRecord } from '@shopify-tokens/testing'
import express from 'express'
import request from 'supertest'
import { CLIENT_SECRET, closeAll, managedApp, shop } from '../core/managed-app.js'

// What the documents say and the packages' own suites do not show.

afterEach(closeAll)

it('a non-expiring token is replaced when the app acquires with the merchant there', async () => {
  const { clock, put, record, shopify, tokens } = await managedApp()
  shopify.installShop(shop)
  await put(aRecord.nonExpiring({ accessToken: shopify.mintNonExpiring(shop), secretId: fingerprint(CLIENT_SECRET) }))

  const { value, expiresAt } = await tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })

  expect(expiresAt).toBe(clock.now() + 3_600_000)
  expect(await record()).toMatchObject({ kind: 'expiring', accessToken: value })
})

it('a shop that the app names itself acquires nothing, although a session token came along', async () => {
  const { shopify, tokenCalls, tokens } = await managedApp()
  shopify.installShop(shop)
  const app = express()
  app.use(shopifyTokens({ tokens, shopOf: () => shop }))

  const { status } = await request(app)
    .get('/')
    .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)

  expect(status).toBe(403)
  expect(tokenCalls()).toBe(0)
})

it('a token kept from the beginning of a request is not the one that a longer job gets', async () => {
  const { clock, seed, tokens } = await managedApp()
  const { accessToken } = await seed()
  const client = tokens.forShop(shop)
  expect((await client.accessToken()).value).toBe(accessToken)

  await clock.advance(2 * 3_600_000)

  expect((await client.accessToken()).value).not.toBe(accessToken)
})
