import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'node:querystring'
import { AppSignatures, InvalidCallbackError, parseShop, Secret, SessionTokenVerifier } from '@shopify-tokens/core'
import { decodeHost } from '../../packages/core/src/oauth/host.js'

/** One input with the verdict of Shopify's own library; `ours`, and why, where this project's differs on purpose. */
interface Vector {
  readonly name: string
  readonly library: 'accepts' | 'refuses'
  /** A callback's is the flaw. */
  readonly ours?: string
  readonly because?: string
}

/** What make-vectors.mjs has written. */
interface Vectors {
  readonly madeWith: { readonly library: string }
  readonly now: number
  readonly clientId: string
  readonly clientSecret: string
  readonly shop: string
  readonly callbacks: readonly (Vector & { readonly query: string })[]
  readonly webhooks: readonly (Vector & { readonly body: string; readonly hmac: string })[]
  readonly sessionTokens: readonly (Vector & { readonly token: string })[]
  readonly hosts: readonly (Vector & { readonly host: string })[]
}

const vectors = JSON.parse(readFileSync(join(__dirname, 'vectors.json'), 'utf8')) as Vectors
const { clientId, now } = vectors
const options = { clientId, now: () => now }
const signatures = new AppSignatures({ ...options, clientSecrets: [new Secret(vectors.clientSecret)] })
/** While the secret is rotated: what was signed with the old one counts as well. */
const rotating = new AppSignatures({
  ...options,
  clientSecrets: [new Secret('shpss_newer'), new Secret(vectors.clientSecret)],
})

it('come from the version that the protocol names', () => {
  expect(vectors.madeWith.library).toBe('@shopify/shopify-api@13.1.0')
})

it.each(['callbacks', 'webhooks', 'sessionTokens', 'hosts'] as const)('hold both kinds of %s', (kind) => {
  const accepted = vectors[kind].filter(({ library }) => library === 'accepts').length
  expect(accepted).toBeGreaterThanOrEqual(8)
  expect(vectors[kind].length - accepted).toBeGreaterThanOrEqual(8)
})

it('are judged by nobody more leniently but for a shop in capitals, bytes that are no text, and a list of apps', () => {
  const lenient = [...vectors.callbacks, ...vectors.webhooks, ...vectors.sessionTokens, ...vectors.hosts].filter(
    ({ library, ours }) => library === 'refuses' && ours === 'accepts',
  )
  expect(lenient.map(({ name }) => name)).toEqual([
    'a shop in capitals',
    'bytes that are no UTF-8, signed',
    'a list of apps',
  ])
})

/** Frameworks parse queries with this or with something that agrees on flat ones. */
function judgeCallback(verifier: AppSignatures, query: string): string {
  try {
    verifier.verifyCallback(parse(query))
    return 'accepts'
  } catch (error) {
    if (error instanceof InvalidCallbackError) return error.flaw
    throw error
  }
}

describe.each([
  ['the current secret', signatures],
  ['the previous secret', rotating],
])('a callback, by %s', (_which, verifier) => {
  it.each(vectors.callbacks)('$name: as the library judges it ($library), or $ours', ({ query, library, ours }) => {
    const verdict = judgeCallback(verifier, query)
    if (ours === undefined) expect(verdict === 'accepts' ? 'accepts' : 'refuses').toBe(library)
    else expect(verdict).toBe(ours)
  })
})

describe.each([
  ['the current secret', signatures],
  ['the previous secret', rotating],
])('a webhook, by %s', (_which, verifier) => {
  it.each(vectors.webhooks)('$name: $library', ({ body, hmac, library, ours }) => {
    expect(verifier.verifyWebhook(Buffer.from(body, 'base64'), hmac)).toBe((ours ?? library) === 'accepts')
  })
})

describe('a session token', () => {
  it.each(vectors.sessionTokens)('$name: $library', async ({ token, library, ours }) => {
    const verifier = new SessionTokenVerifier({ ...options, clientSecrets: [new Secret(vectors.clientSecret)] })
    const verdict = await verifier.verify(token).then(
      () => 'accepts',
      () => 'refuses',
    )
    expect(verdict).toBe(ours ?? library)
  })
})

describe('a host', () => {
  it.each(vectors.hosts)('$name: $library', ({ host, library, ours }) => {
    const verdict = decodeHost(host, parseShop(vectors.shop)) === null ? 'refuses' : 'accepts'
    expect(verdict).toBe(ours ?? library)
  })
})
