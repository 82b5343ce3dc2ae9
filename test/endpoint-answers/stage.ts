import {
  type AnyShopifyTokenError,
  type Fetch,
  fingerprint,
  type Grant,
  isShopifyTokenError,
  type TokenManager,
  type TokenRecord,
} from '@shopify-tokens/core'
import { shopifyTokens, shopifyTokensErrorHandler } from '@shopify-tokens/express'
import { aCoolDown, aRecord } from '@shopify-tokens/testing'
import express, { type ErrorRequestHandler, type Express } from 'express'
import request from 'supertest'
import { CLIENT_ID, CLIENT_SECRET, type ManagedApp, managedApp, shop } from '../core/managed-app.js'
import type { Given } from './answers.js'

/** What has come of one answer. */
export interface Outcry {
  readonly error: AnyShopifyTokenError
  readonly before: TokenRecord | null
  readonly after: TokenRecord | null
  /** What an attempt left in the row would say was presented. */
  readonly presented: string
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: unknown }
}

/** So many failures in a row lie behind the shop that its next cool-down is as long as its cause allows. */
const FAILURES = 20
/** Past its token's end, and not yet for so long that the shop is called stuck. */
const AGE_MS = 90 * 60_000

/** The shop before the answer: its row, and how a request has that credential sent which the answer is to. */
interface Scene {
  readonly app: ManagedApp
  readonly site: Express
  readonly credential: string
  readonly authorization?: string
}

const PREPARE: Readonly<Record<Grant, (app: ManagedApp) => Promise<Omit<Scene, 'app'>>>> = {
  async refresh(app) {
    const { refreshToken } = await app.seed({ ageMs: AGE_MS, coolDown: pastCoolDown(app) })
    return { site: siteOver(app.tokens), credential: refreshToken }
  },
  async 'id-token'(app) {
    await emptyRow(app)
    const idToken = app.shopify.sessionToken(shop)
    const site = express().use(shopifyTokens({ tokens: app.tokens, onError: 'next' }))
    return { site, credential: idToken, authorization: `Bearer ${idToken}` }
  },
  async code(app) {
    await emptyRow(app)
    const code = app.shopify.issueCode(shop)
    const site = express().use((_request, _response, next) => {
      app.tokens.acquire(shop, { code }).then(() => {
        next()
      }, next)
    })
    return { site, credential: code }
  },
  async migration(app) {
    const accessToken = app.shopify.mintNonExpiring(shop)
    const secretId = fingerprint(CLIENT_SECRET)
    await app.put(aRecord.nonExpiring({ accessToken, secretId, coolDown: pastCoolDown(app) }))
    const site = express().use((_request, _response, next) => {
      app.tokens.token(shop, { rejected: accessToken, rejectedAs: 'non-expiring' }).then(() => {
        next()
      }, next)
    })
    return { site, credential: accessToken }
  },
  async 'client-credentials'(app) {
    await emptyRow(app)
    return { site: siteOver(app.anotherProcess({ grant: 'client-credentials' })), credential: CLIENT_ID }
  },
}

/** An app that names the shop itself, so that no session token is sent in the refresh token's place. */
function siteOver(tokens: TokenManager): Express {
  return express().use(shopifyTokens({ tokens, onError: 'next', shopOf: () => shop }))
}

async function emptyRow(app: ManagedApp): Promise<void> {
  app.shopify.installShop(shop)
  await app.put({ kind: 'empty', attempts: [], mark: null, coolDown: pastCoolDown(app), sweepAt: null })
}

function pastCoolDown({ clock }: ManagedApp): ReturnType<typeof aCoolDown> {
  return aCoolDown({ until: clock.now() - 1, failures: FAILURES })
}

/** Gives the answer to every request that sends the credential, and has a browser ask for something that needs a token. */
export async function play(grant: Grant, { fault }: Given): Promise<Outcry & { readonly app: ManagedApp }> {
  const app: ManagedApp = await managedApp(fault.kind === 'hang' ? { fetch: (...args) => unanswered(...args) } : {})
  const unanswered: Fetch = async (input, init) => {
    const hanging = app.shopify.faults.next(shop, fault)
    const answer = app.shopify.fetch(input, init)
    // Time stands still while the request is on its way, and passes when it is there.
    await app.clock.watch(() => hanging.untilStruck())()
    return answer
  }
  const { authorization, credential, site } = await PREPARE[grant](app)
  const before = await app.record()
  app.shopify.resetCounters()
  if (fault.kind !== 'hang') app.shopify.faults.next(shop, fault, { times: Infinity })

  const errors: unknown[] = []
  const remember: ErrorRequestHandler = (error: unknown, _request, _response, next) => {
    errors.push(error)
    next(error)
  }
  const call = request(site.use(remember).use(shopifyTokensErrorHandler())).get('/')
  const response = await (authorization === undefined ? call : call.set('Authorization', authorization))
  const [error] = errors
  if (!isShopifyTokenError(error)) throw new Error(`No error of ours came of it, but ${String(error)}`)
  const presented = fingerprint(credential)
  return { app, error, before, after: await app.record(), presented, response }
}
