import { createHash } from 'node:crypto'
import type { ExpiringRecord } from '@shopify-tokens/core'
import { FAKE_EPOCH, type Grace, type Replay } from '@shopify-tokens/testing'
import { lifetimesAt } from '../../packages/testing/src/fake-shopify/lifetimes.js'
import { TokenLedger } from '../../packages/testing/src/fake-shopify/token-ledger.js'
import type { TokenAnswer } from '../../packages/testing/src/fake-shopify/token-answer.js'
import type { Answer } from './run.js'
import { SHOP } from './scenario.js'

const SECRET_NUMBER = 1
/** The first pair is old enough for its access token to have run out. */
const FIRST_AT = FAKE_EPOCH - 2 * 3_600_000

/** The non-expiring token that the shop may be on. */
export const ORIGINAL = `shpat_${Buffer.from(bytes('original', 16)).toString('hex')}`

type FirstPair = Pick<ExpiringRecord, 'accessToken' | 'refreshToken' | 'predecessor' | 'obtainedAt'>

interface Request {
  /** A refresh token, or {@link ORIGINAL}; `null`: an acquisition. */
  readonly credential: string | null
  readonly now: number
}

const ids = new Map<string, number>()
const answers = new Map<string, Extract<Answer, { brings: 'tokens' }>>()

/** The fake's ledger of tokens in one state: the requests that have changed it so far. Immutable. */
export class Shopify {
  /** Equal for equal pasts. */
  readonly id: number
  readonly #replay: Replay
  readonly #grace: Grace
  readonly #past: readonly Request[]
  #hasEndedOriginal: boolean | undefined
  readonly #known = new Map<string, { readonly answer: Answer; readonly next: Shopify }>()

  private constructor(replay: Replay, grace: Grace, past: readonly Request[]) {
    this.#replay = replay
    this.#grace = grace
    this.#past = past
    const story = JSON.stringify([replay, grace, past])
    this.id = ids.get(story) ?? ids.size
    ids.set(story, this.id)
  }

  static opened(replay: Replay, grace: Grace): Shopify {
    return new Shopify(replay, grace, [])
  }

  /** What the shop's row holds in the beginning: a pair whose access token has run out, and what brought it. */
  get firstPair(): FirstPair {
    return this.#ledger().first
  }

  /** Whether no request has brought anything yet. */
  get isUntouched(): boolean {
    return this.#past.length === 0
  }

  /** Whether the Admin API refuses the non-expiring token, because it has been migrated. */
  get hasEndedOriginal(): boolean {
    this.#hasEndedOriginal ??= this.#past.some(({ credential }) => credential === ORIGINAL)
    return this.#hasEndedOriginal
  }

  /** What a request brings, and Shopify afterwards. Refusals and replays change nothing. */
  answer(credential: string | null, now: number): { readonly answer: Answer; readonly next: Shopify } {
    const key = `${String(credential)}@${String(now)}`
    let known = this.#known.get(key)
    if (known === undefined) {
      const result = this.#ledger().take({ credential, now })
      if (!result.granted) known = { answer: { brings: 'refusal' }, next: this }
      else {
        const past = [...this.#past, { credential, now }]
        const next = result.replayed ? this : new Shopify(this.#replay, this.#grace, past)
        known = { answer: interned(result.answer), next }
      }
      this.#known.set(key, known)
    }
    return known
  }

  accepts(credential: string, now: number): boolean {
    return this.#ledger().accepts(credential, now)
  }

  /** A ledger to which all this has happened. */
  #ledger(): Ledger {
    const ledger = new Ledger(this.#replay, this.#grace)
    for (const request of this.#past) ledger.take(request)
    return ledger
  }
}

function interned(tokens: TokenAnswer): Answer {
  const key = JSON.stringify(tokens)
  const known = answers.get(key) ?? { brings: 'tokens', tokens, id: answers.size }
  answers.set(key, known)
  return known
}

/** The fake's ledger, its clock set by each request. Tokens are named by what brought them, not by when they came. */
class Ledger {
  readonly first: FirstPair
  readonly #ledger: TokenLedger
  readonly #minted = new Map<string | null, number>()
  #now = FIRST_AT
  #name = ''

  constructor(replay: Replay, grace: Grace) {
    const rules = { replay, grace, lifetimes: lifetimesAt(1) }
    this.#ledger = new TokenLedger(
      rules,
      () => this.#now,
      (size) => bytes(this.#name, size),
    )
    this.#ledger.install(SHOP, ['read_products'])
    this.#name = 'original'
    this.#ledger.mintNonExpiring(SHOP, SECRET_NUMBER)
    this.#name = 'installation'
    const { refresh_token: predecessor = '' } = this.#ledger.acquire(SHOP, SECRET_NUMBER).answer
    this.#name = 'first'
    const result = this.#ledger.refresh(SHOP, predecessor, SECRET_NUMBER)
    if (!result.granted) throw new Error(`The first refresh is refused: ${result.reason}.`)
    const { access_token: accessToken, refresh_token: refreshToken = '' } = result.answer
    this.first = { accessToken, refreshToken, predecessor, obtainedAt: FIRST_AT }
  }

  take({ credential, now }: Request): ReturnType<TokenLedger['refresh']> {
    const minted = this.#minted.get(credential) ?? 0
    this.#now = now
    this.#name = `${String(credential)} ${String(minted)}`
    const result = this.#granted(credential)
    if (result.granted && !result.replayed) this.#minted.set(credential, minted + 1)
    return result
  }

  #granted(credential: string | null): ReturnType<TokenLedger['refresh']> {
    if (credential === null) return this.#ledger.acquire(SHOP, SECRET_NUMBER)
    return credential === ORIGINAL
      ? this.#ledger.migrate(SHOP, credential, SECRET_NUMBER)
      : this.#ledger.refresh(SHOP, credential, SECRET_NUMBER)
  }

  accepts(credential: string, now: number): boolean {
    this.#now = now
    return this.#ledger.accepts(SHOP, credential)
  }
}

function bytes(name: string, size: number): Uint8Array {
  return createHash('sha256').update(name).digest().subarray(0, size)
}
