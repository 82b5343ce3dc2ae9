import type { Lifetimes } from '../../packages/testing/src/fake-shopify/lifetimes.js'
import { lifetimesAt } from '../../packages/testing/src/fake-shopify/lifetimes.js'
import type { Grace, Replay, RotationRules } from '../../packages/testing/src/fake-shopify/rotation-rules.js'
import type { Granted, Refused, TokenAnswer } from '../../packages/testing/src/fake-shopify/token-answer.js'
import { TokenLedger } from '../../packages/testing/src/fake-shopify/token-ledger.js'

const SHOP = 'a.myshopify.com'
const OTHER = 'b.myshopify.com'
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const [OLD, NEW] = [0, 1]
const REPLAYS: Replay[] = ['same-pair', 'same-verbatim', 'new-pair']
const GRACES: Grace[] = ['none', '60-minutes', 'until-used']

interface Pair {
  readonly access: string
  readonly refresh: string
  readonly expiresIn: number | undefined
  readonly answer: TokenAnswer
}

interface Book {
  readonly ledger: TokenLedger
  readonly rules: RotationRules
  pass(ms: number): void
  acquire(): Pair
  refresh(refreshToken: string, secret?: number): Pair
  migrate(original: string, secret?: number): Pair
  reasonOfRefresh(refreshToken: string): string
  reasonOfMigration(original: string): string
  state(accessToken: string): string
}

function open(
  { replay = 'same-pair', grace = 'until-used' }: { replay?: Replay; grace?: Grace } = {},
  lifetimes?: Lifetimes,
): Book {
  let now = Date.UTC(2026, 10, 20)
  let drawn = 0
  const rules: RotationRules = { replay, grace, lifetimes: lifetimes ?? lifetimesAt(1) }
  const random = (size: number): Uint8Array => {
    drawn += 1
    return Buffer.from(drawn.toString(16).padStart(2 * size, '0'), 'hex')
  }
  const ledger = new TokenLedger(rules, () => now, random)
  ledger.install(SHOP, ['read_products', 'write_products'])
  const pair = (result: Granted | Refused): Pair => {
    if (!result.granted) throw new Error(`refused: ${result.reason}`)
    const { access_token: access, refresh_token: refresh = '', expires_in: expiresIn } = result.answer
    return { access, refresh, expiresIn, answer: result.answer }
  }
  const reason = (result: Granted | Refused): string => (result.granted ? 'granted' : result.reason)
  return {
    ledger,
    rules,
    pass: (ms) => {
      now += ms
    },
    acquire: () => pair(ledger.acquire(SHOP, OLD)),
    refresh: (token, secret = OLD) => pair(ledger.refresh(SHOP, token, secret)),
    migrate: (token, secret = OLD) => pair(ledger.migrate(SHOP, token, secret)),
    reasonOfRefresh: (token) => reason(ledger.refresh(SHOP, token, OLD)),
    reasonOfMigration: (token) => reason(ledger.migrate(SHOP, token, OLD)),
    state: (token) => ledger.inspect(SHOP, token).state,
  }
}

describe('lifetimes and scopes of a pair (R1, R2)', () => {
  it('gives an access token 60 minutes and a refresh token 90 days', () => {
    const { acquire } = open()
    expect(acquire().answer).toMatchObject({
      expires_in: 3600,
      refresh_token_expires_in: 7_776_000,
      scope: 'read_products,write_products',
    })
  })

  it('ends an access token at its sixtieth minute and not before', () => {
    const { acquire, pass, state } = open()
    const { access } = acquire()
    pass(60 * MINUTE - 1)
    expect(state(access)).toBe('live')
    pass(1)
    expect(state(access)).toBe('expired')
  })

  it('ends an unused refresh token at its ninetieth day and not before', () => {
    const { ledger, acquire, pass, reasonOfRefresh } = open()
    const { refresh } = acquire()
    pass(90 * DAY - 1)
    expect(ledger.accepts(SHOP, refresh)).toBe(true)
    pass(1)
    expect(reasonOfRefresh(refresh)).toBe('expired')
  })

  it('mints both tokens anew with every refresh, for another 90 days', () => {
    const { acquire, refresh, pass, state } = open()
    let pair = acquire()
    const seen = new Set([pair.access, pair.refresh])
    for (let round = 0; round < 5; round += 1) {
      pass(89 * DAY)
      pair = refresh(pair.refresh)
      seen.add(pair.access).add(pair.refresh)
    }
    expect(seen.size).toBe(12)
    expect(state(pair.access)).toBe('live')
  })

  it('keeps the previous access token valid to its own end after a refresh', () => {
    const { acquire, refresh, pass, state } = open()
    const first = acquire()
    pass(30 * MINUTE)
    refresh(first.refresh)
    pass(29 * MINUTE)
    expect(state(first.access)).toBe('live')
    pass(1 * MINUTE)
    expect(state(first.access)).toBe('expired')
  })

  it('gives a refreshed token the scopes of the moment and leaves older tokens theirs', () => {
    const { ledger, acquire, refresh } = open()
    const first = acquire()
    ledger.install(SHOP, ['read_orders'])
    expect(refresh(first.refresh).answer.scope).toBe('read_orders')
    expect(ledger.inspect(SHOP, first.access)).toMatchObject({ scopes: ['read_products', 'write_products'] })
  })

  it('knows the tokens of one shop only in that shop', () => {
    const { ledger, acquire } = open()
    const pair = acquire()
    expect(ledger.inspect(OTHER, pair.access).state).toBe('unknown')
    expect(ledger.refresh(OTHER, pair.refresh, OLD)).toEqual({ granted: false, reason: 'unknown-token' })
  })

  it('mints an aged pair with what is left of its lifetimes', () => {
    const { ledger, state, reasonOfRefresh } = open()
    const { answer } = ledger.acquire(SHOP, OLD, 61 * MINUTE)
    expect(state(answer.access_token)).toBe('expired')
    expect(reasonOfRefresh(answer.refresh_token ?? '')).toBe('granted')
  })
})

describe('presenting a refresh token again (R3, R8)', () => {
  it.each(REPLAYS)('is refused at once under grace none, whatever replay %s says', (replay) => {
    const { acquire, refresh, reasonOfRefresh } = open({ replay, grace: 'none' })
    const first = acquire()
    const second = refresh(first.refresh)
    expect(reasonOfRefresh(first.refresh)).toBe('grace-over')
    expect(reasonOfRefresh(second.refresh)).toBe('granted')
  })

  it.each([
    ['60-minutes', 60 * MINUTE],
    ['until-used', 30 * DAY],
  ] as const)('is granted under grace %s until that time after the first use', (grace, ms) => {
    const { acquire, refresh, pass, reasonOfRefresh } = open({ grace })
    const first = acquire()
    pass(3 * DAY)
    refresh(first.refresh)
    pass(ms - 1)
    expect(reasonOfRefresh(first.refresh)).toBe('granted')
    pass(1)
    expect(reasonOfRefresh(first.refresh)).toBe('grace-over')
  })

  it('counts the grace from the first use, not from the last', () => {
    const { acquire, refresh, pass, reasonOfRefresh } = open()
    const first = acquire()
    refresh(first.refresh)
    pass(20 * DAY)
    refresh(first.refresh)
    pass(11 * DAY)
    expect(reasonOfRefresh(first.refresh)).toBe('grace-over')
  })

  it("ends with the token's own 90 days when those come before the 30", () => {
    const { acquire, refresh, pass, reasonOfRefresh } = open()
    const first = acquire()
    pass(80 * DAY)
    refresh(first.refresh)
    pass(10 * DAY)
    expect(reasonOfRefresh(first.refresh)).toBe('expired')
  })

  it('leaves a replacement that was never used alive when the grace of its predecessor ends', () => {
    const { acquire, refresh, pass, reasonOfRefresh } = open()
    const second = refresh(acquire().refresh)
    pass(31 * DAY)
    expect(reasonOfRefresh(second.refresh)).toBe('granted')
  })
})

describe('using the replacement (R4)', () => {
  it.each(GRACES)('retires its predecessor at once under grace %s', (grace) => {
    const { acquire, refresh, reasonOfRefresh } = open({ grace })
    const first = acquire()
    const second = refresh(first.refresh)
    refresh(second.refresh)
    expect(reasonOfRefresh(first.refresh)).toBe('replaced')
  })

  it('does not retire anything when the replacement is refused', () => {
    const { ledger, acquire, refresh, reasonOfRefresh } = open()
    const first = acquire()
    const second = refresh(first.refresh)
    ledger.revoke(SHOP, second.refresh)
    expect(reasonOfRefresh(second.refresh)).toBe('revoked')
    expect(reasonOfRefresh(first.refresh)).toBe('granted')
  })

  it('keeps one predecessor at a time presentable along a chain', () => {
    const { ledger, acquire, refresh } = open()
    const chain = [acquire()]
    for (let round = 0; round < 4; round += 1) chain.push(refresh(chain[round]!.refresh))
    expect(chain.map((pair) => ledger.accepts(SHOP, pair.refresh))).toEqual([false, false, false, true, true])
  })
})

describe('an acquisition (R5, R6)', () => {
  it('kills every earlier refresh token, unused replacements and predecessors alike', () => {
    const { acquire, refresh, reasonOfRefresh } = open()
    const first = acquire()
    const second = refresh(first.refresh)
    const third = acquire()
    expect([first, second, third].map((pair) => reasonOfRefresh(pair.refresh))).toEqual([
      'acquisition',
      'acquisition',
      'granted',
    ])
  })

  it('lets earlier access tokens run out on their own', () => {
    const { acquire, pass, state } = open()
    const first = acquire()
    acquire()
    expect(state(first.access)).toBe('live')
    pass(60 * MINUTE)
    expect(state(first.access)).toBe('expired')
  })

  it('kills refresh tokens also when it brings a non-expiring token', () => {
    const { ledger, acquire, reasonOfRefresh } = open()
    const first = acquire()
    const { answer } = ledger.acquireNonExpiring(SHOP, OLD)
    expect(Object.keys(answer)).toEqual(['access_token', 'scope'])
    expect(reasonOfRefresh(first.refresh)).toBe('acquisition')
  })

  it('touches no other shop', () => {
    const { ledger, acquire } = open()
    ledger.install(OTHER, [])
    const other = ledger.acquire(OTHER, OLD).answer
    acquire()
    expect(ledger.accepts(OTHER, other.refresh_token ?? '')).toBe(true)
  })
})

describe('what a replay brings (R7)', () => {
  it('is the same pair with its remaining lifetime under same-pair', () => {
    const { acquire, refresh, pass } = open({ replay: 'same-pair' })
    const first = acquire()
    const second = refresh(first.refresh)
    pass(20 * MINUTE + 500)
    const again = refresh(first.refresh)
    expect([again.access, again.refresh]).toEqual([second.access, second.refresh])
    expect(again.answer).toMatchObject({ expires_in: 2399, refresh_token_expires_in: 7_776_000 - 1201 })
  })

  it('says zero seconds under same-pair when the access token of the pair is over', () => {
    const { acquire, refresh, pass, state } = open({ replay: 'same-pair' })
    const first = acquire()
    refresh(first.refresh)
    pass(2 * DAY)
    const again = refresh(first.refresh)
    expect(again.expiresIn).toBe(0)
    expect(state(again.access)).toBe('expired')
  })

  it('is the first answer word for word under same-verbatim, though the token may be over', () => {
    const { acquire, refresh, pass, state } = open({ replay: 'same-verbatim' })
    const first = acquire()
    const second = refresh(first.refresh)
    pass(2 * DAY)
    const again = refresh(first.refresh)
    expect(again.answer).toEqual(second.answer)
    expect(state(again.access)).toBe('expired')
  })

  it('is a new pair under new-pair, and the unused one is retired', () => {
    const { ledger, acquire, refresh, reasonOfRefresh } = open({ replay: 'new-pair' })
    const first = acquire()
    const lost = refresh(first.refresh)
    const kept = refresh(first.refresh)
    expect(kept.refresh).not.toBe(lost.refresh)
    expect(reasonOfRefresh(lost.refresh)).toBe('superseded')
    expect(ledger.accepts(SHOP, first.refresh)).toBe(true)
    expect(reasonOfRefresh(kept.refresh)).toBe('granted')
    expect(reasonOfRefresh(first.refresh)).toBe('replaced')
  })

  it('leaves the access token of a superseded pair to run out on its own', () => {
    const { acquire, refresh, state } = open({ replay: 'new-pair' })
    const first = acquire()
    const lost = refresh(first.refresh)
    refresh(first.refresh)
    expect(state(lost.access)).toBe('live')
  })

  it('tells a replay from a fresh grant', () => {
    const { ledger, acquire } = open({ replay: 'same-pair' })
    const { refresh } = acquire()
    expect(ledger.refresh(SHOP, refresh, OLD)).toMatchObject({ granted: true, replayed: false })
    expect(ledger.refresh(SHOP, refresh, OLD)).toMatchObject({ granted: true, replayed: true })
  })

  it('mints anew when the replacement was revoked in the meantime', () => {
    const { ledger, acquire, refresh, reasonOfRefresh } = open({ replay: 'same-pair' })
    const first = acquire()
    const second = refresh(first.refresh)
    ledger.revoke(SHOP, second.refresh)
    const third = refresh(first.refresh)
    expect(third.refresh).not.toBe(second.refresh)
    expect(reasonOfRefresh(third.refresh)).toBe('granted')
  })
})

describe('migration (R9)', () => {
  const withOriginal = (): Book & { original: string } => {
    const book = open()
    return { ...book, original: book.ledger.mintNonExpiring(SHOP, OLD).answer.access_token }
  }

  it('ends the original token for the Admin API at once', () => {
    const { original, migrate, state } = withOriginal()
    expect(state(original)).toBe('live')
    const pair = migrate(original)
    expect(state(original)).toBe('revoked')
    expect(state(pair.access)).toBe('live')
  })

  it('may be repeated for seven days and brings the same pair', () => {
    const { original, migrate, pass, reasonOfMigration } = withOriginal()
    const pair = migrate(original)
    pass(7 * DAY - 1)
    const again = migrate(original)
    expect([again.access, again.refresh]).toEqual([pair.access, pair.refresh])
    pass(1)
    expect(reasonOfMigration(original)).toBe('memo-over')
  })

  it('extends the access token if it has run out, and never the refresh token', () => {
    const { original, migrate, pass, state } = withOriginal()
    const pair = migrate(original)
    pass(2 * DAY)
    expect(state(pair.access)).toBe('expired')
    const again = migrate(original)
    expect(again.answer).toMatchObject({ expires_in: 3600, refresh_token_expires_in: 88 * 86_400 })
    expect(state(pair.access)).toBe('live')
  })

  it('leaves the remaining life of a living access token as it is', () => {
    const { original, migrate, pass } = withOriginal()
    migrate(original)
    pass(10 * MINUTE)
    expect(migrate(original).expiresIn).toBe(3000)
  })

  it('can no longer be repeated once the pair was refreshed', () => {
    const { original, migrate, refresh, reasonOfMigration } = withOriginal()
    refresh(migrate(original).refresh)
    expect(reasonOfMigration(original)).toBe('replaced')
  })

  it('can no longer be repeated once another acquisition replaced the pair', () => {
    const { original, migrate, acquire, reasonOfMigration } = withOriginal()
    migrate(original)
    acquire()
    expect(reasonOfMigration(original)).toBe('acquisition')
  })

  it('is refused for an expiring token, a foreign token and a shop without the app', () => {
    const { ledger, original, acquire, reasonOfMigration } = withOriginal()
    expect(reasonOfMigration(acquire().access)).toBe('unknown-token')
    expect(reasonOfMigration('shpat_never_issued')).toBe('unknown-token')
    ledger.uninstall(SHOP)
    expect(reasonOfMigration(original)).toBe('not-installed')
  })

  it('cannot begin with a token that Shopify has revoked', () => {
    const { ledger, original, reasonOfMigration } = withOriginal()
    ledger.revoke(SHOP, original)
    expect(reasonOfMigration(original)).toBe('revoked')
  })

  it('retires no refresh token of an earlier pair', () => {
    const { ledger, original, migrate, acquire } = withOriginal()
    const { refresh } = acquire()
    migrate(original)
    expect(ledger.accepts(SHOP, refresh)).toBe(true)
  })
})

describe('uninstalling (R10)', () => {
  it('ends every token of the shop, access tokens included', () => {
    const { ledger, acquire, refresh, state, reasonOfRefresh } = open()
    const original = ledger.mintNonExpiring(SHOP, OLD).answer.access_token
    const first = acquire()
    const second = refresh(first.refresh)
    ledger.uninstall(SHOP)
    expect([original, first.access, second.access].map(state)).toEqual(['revoked', 'revoked', 'revoked'])
    expect([first.refresh, second.refresh].map(reasonOfRefresh)).toEqual(['uninstalled', 'uninstalled'])
  })

  it('is not undone by a new installation', () => {
    const { ledger, acquire, state, reasonOfRefresh } = open()
    const pair = acquire()
    ledger.uninstall(SHOP)
    ledger.install(SHOP, ['read_products'])
    expect(state(pair.access)).toBe('revoked')
    expect(reasonOfRefresh(pair.refresh)).toBe('uninstalled')
    expect(reasonOfRefresh(acquire().refresh)).toBe('granted')
  })
})

describe('client secrets (R10, R11)', () => {
  it('ends every token that was minted with a revoked secret', () => {
    const { ledger, acquire, refresh, state, reasonOfRefresh } = open()
    const first = acquire()
    const second = refresh(first.refresh, NEW)
    ledger.revokeSecret(OLD)
    expect([first.access, second.access].map(state)).toEqual(['revoked', 'live'])
    expect([first.refresh, second.refresh].map(reasonOfRefresh)).toEqual(['secret-revoked', 'granted'])
  })

  it.each(REPLAYS)('re-pins a shop by a replay with the new secret (%s)', (replay) => {
    const { ledger, acquire, refresh } = open({ replay })
    const first = acquire()
    refresh(first.refresh, OLD)
    const again = refresh(first.refresh, NEW)
    ledger.revokeSecret(OLD)
    expect(ledger.accepts(SHOP, again.refresh)).toBe(true)
  })

  it('keeps the newer pin when a replay comes with the old secret', () => {
    const { ledger, acquire, refresh } = open({ replay: 'same-pair' })
    const first = acquire()
    const second = refresh(first.refresh, NEW)
    refresh(first.refresh, OLD)
    ledger.revokeSecret(OLD)
    expect(ledger.accepts(SHOP, second.refresh)).toBe(true)
  })

  it('pins back what an old process mints after the shop was re-pinned', () => {
    const { ledger, acquire, refresh } = open()
    const second = refresh(acquire().refresh, NEW)
    const third = refresh(second.refresh, OLD)
    ledger.revokeSecret(OLD)
    expect(ledger.accepts(SHOP, third.refresh)).toBe(false)
    expect(ledger.accepts(SHOP, second.refresh)).toBe(true)
  })
})

describe('two deployments of one app (R12)', () => {
  it('retire each other when each acquires for itself', () => {
    const { acquire, refresh, reasonOfRefresh } = open()
    const here = acquire()
    const there = acquire()
    expect(reasonOfRefresh(here.refresh)).toBe('acquisition')
    refresh(there.refresh)
  })
})

describe('client credentials', () => {
  it('bring a token for 24 hours less a second, without a refresh token', () => {
    const { ledger, pass, state } = open()
    const result = ledger.clientCredentials(SHOP, OLD)
    expect(result).toMatchObject({ granted: true, answer: { expires_in: 86_399 } })
    const { answer } = result as Granted
    expect(Object.keys(answer)).toEqual(['access_token', 'expires_in', 'scope'])
    pass(86_399_000)
    expect(state(answer.access_token)).toBe('expired')
  })

  it('retire nothing', () => {
    const { ledger, acquire } = open()
    const pair = acquire()
    ledger.clientCredentials(SHOP, OLD)
    expect(ledger.accepts(SHOP, pair.refresh)).toBe(true)
  })

  it('are refused where the app is not installed', () => {
    const { ledger } = open()
    expect(ledger.clientCredentials(OTHER, OLD)).toEqual({ granted: false, reason: 'not-installed' })
  })
})

describe('asking whether a credential lives', () => {
  it('uses nothing up', () => {
    const { ledger, acquire, refresh, reasonOfRefresh } = open({ grace: 'none' })
    const first = acquire()
    const second = refresh(first.refresh)
    expect(ledger.accepts(SHOP, second.refresh)).toBe(true)
    expect(ledger.accepts(SHOP, second.refresh)).toBe(true)
    expect(reasonOfRefresh(second.refresh)).toBe('granted')
  })

  it('counts a non-expiring token that could still be migrated', () => {
    const { ledger, migrate, refresh } = open()
    const original = ledger.mintNonExpiring(SHOP, OLD).answer.access_token
    expect(ledger.accepts(SHOP, original)).toBe(true)
    const pair = migrate(original)
    expect(ledger.accepts(SHOP, original)).toBe(true)
    refresh(pair.refresh)
    expect(ledger.accepts(SHOP, original)).toBe(false)
  })

  it('is no for an access token of a pair and for a token never issued', () => {
    const { ledger, acquire } = open()
    expect(ledger.accepts(SHOP, acquire().access)).toBe(false)
    expect(ledger.accepts(SHOP, 'shprt_never_issued')).toBe(false)
  })
})

describe('shortened lifetimes', () => {
  it('scale grace and memo by the same factor', () => {
    const { acquire, refresh, pass, reasonOfRefresh } = open({}, lifetimesAt(3600))
    const first = acquire()
    expect(first.answer).toMatchObject({ expires_in: 1, refresh_token_expires_in: 2160 })
    refresh(first.refresh)
    pass((30 * DAY) / 3600 - 1)
    expect(reasonOfRefresh(first.refresh)).toBe('granted')
    pass(1)
    expect(reasonOfRefresh(first.refresh)).toBe('grace-over')
  })

  it('answer in fractions of a second where whole seconds would eat the lifetime', () => {
    const { acquire, refresh, pass } = open({}, lifetimesAt(1, 250))
    const first = acquire()
    expect(first.expiresIn).toBe(0.25)
    refresh(first.refresh)
    pass(100)
    expect(refresh(first.refresh).expiresIn).toBe(0.15)
  })

  it('take a lifetime that is given as it stands', () => {
    expect(lifetimesAt(3600, 5000, 9000)).toMatchObject({ accessTokenMs: 5000, refreshTokenMs: 9000, graceMs: 720_000 })
  })
})

describe('switches changed in between', () => {
  it('hold from the next call on', () => {
    const { acquire, refresh, rules, reasonOfRefresh } = open({ replay: 'same-pair', grace: 'until-used' })
    const first = acquire()
    refresh(first.refresh)
    rules.grace = 'none'
    expect(reasonOfRefresh(first.refresh)).toBe('grace-over')
    rules.grace = 'until-used'
    expect(reasonOfRefresh(first.refresh)).toBe('granted')
  })
})
