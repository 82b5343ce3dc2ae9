import type { Flaw } from './judge.js'
import { explorerOf, forgetMutants, type Mutant } from './mutant.js'
import type { Scenario } from './scenario.js'

interface FallingMutant extends Mutant {
  readonly rule: string
  readonly scenario: Scenario
  readonly flaw: Flaw
}

const TWO_REFRESHES: Scenario = {
  wants: ['refresh', 'refresh'],
  faults: 0,
  leases: false,
  replay: 'new-pair',
  grace: 'until-used',
}

/** Rules that look natural, each as a change of the product. The gate's rules say why they are not taken. */
const MUTANTS: readonly FallingMutant[] = [
  {
    rule: 'keep the later pair, the other as previous',
    file: 'renewal/merge.ts',
    original: 'const read = candidates(minted.read)',
    replacement: `const [later, other] = mine.obtainedAt >= present.obtainedAt ? [mine, present] : [present, mine]
      if (later) return { ...later, predecessor: other.refreshToken, alternates: [], mark: null, coolDown: null }
      const read = candidates(minted.read)`,
    scenario: { ...TWO_REFRESHES, faults: 1 },
    flaw: 'orphan',
  },
  {
    rule: 'the last write wins, because leases exclude',
    file: 'renewal/merge.ts',
    original: 'if (!conflicted) return',
    replacement: 'return',
    scenario: TWO_REFRESHES,
    flaw: 'orphan',
  },
  {
    rule: 'no predecessor is kept',
    file: 'renewal/new-record.ts',
    original: "predecessor: grant === 'refresh' ? presented : null",
    replacement: 'predecessor: null',
    scenario: { ...TWO_REFRESHES, faults: 1 },
    flaw: 'orphan',
  },
  {
    rule: 'the reading is renewed with each conflict',
    file: 'renewal/keep-pair.ts',
    original: 'const merged = merge(minted, present, conflicted)',
    replacement: `const merged = merge({ ...minted, read: minted.latest ?? minted.read }, present, conflicted)
      if (conflicted) minted.latest = present`,
    scenario: { ...TWO_REFRESHES, wants: ['refresh', 'refresh', 'refresh'] },
    flaw: 'orphan',
  },
  {
    rule: 'one attempt slot, which the overtaker replaces',
    file: 'renewal/row.ts',
    original: 'attempts: [...left, attempt]',
    replacement: 'attempts: [attempt]',
    scenario: { ...TWO_REFRESHES, wants: ['refresh', 'acquire'], faults: 1 },
    flaw: 'silent loss',
  },
  {
    rule: 'only the current refresh token is tried',
    file: 'renewal/credentials-at-hand.ts',
    original: 'candidates(record).find(',
    replacement: '[record.refreshToken].find(',
    scenario: { ...TWO_REFRESHES, faults: 1 },
    flaw: 'false mark',
  },
  {
    rule: 'a mark after the first terminal answer, on the row as it was announced',
    file: 'renewal/renewal-run.ts',
    original: 'this.#afterTerminal(answer, read.record)',
    replacement: "this.#mark({ ...read, ...announced }, 'refresh-token-rejected')",
    scenario: { ...TWO_REFRESHES, grace: 'none' },
    flaw: 'unproven mark',
  },
  {
    rule: 'a put takes out the attempts of others',
    file: 'renewal/merge.ts',
    original: '!attemptIds.has(id) && at >= settledBefore',
    replacement: 'attemptIds.has(id) && at > settledBefore + Infinity',
    scenario: { ...TWO_REFRESHES, wants: ['refresh', 'acquire'], faults: 1 },
    flaw: 'silent loss',
  },
  {
    rule: 'nobody waits for an attempt of others',
    file: 'renewal/decide.ts',
    original: 'Math.abs(now - at) < leaseMs',
    replacement: 'false',
    scenario: { ...TWO_REFRESHES, leases: true },
    flaw: 'second request',
  },
  {
    rule: 'an acquisition that took two requests is like any other',
    file: 'renewal/new-record.ts',
    original: 'minting.requests > 1',
    replacement: 'false',
    scenario: { ...TWO_REFRESHES, wants: ['acquire', 'refresh'], faults: 1, leases: true },
    flaw: 'silent loss',
  },
  {
    rule: 'a code whose answer was lost is over and done with',
    file: 'renewal/present.ts',
    original: 'if (!answer.conclusive) row',
    replacement: "if (!answer.conclusive && credential.grant !== 'code') row",
    scenario: { ...TWO_REFRESHES, wants: ['authorize'], faults: 1 },
    flaw: 'silent loss',
  },
  {
    rule: 'a token that is refused with 401 is not migrated',
    file: 'renewal/decide.ts',
    original: '(want.migrate === true || isMigrationBegun(record))',
    replacement: 'want.migrate === true',
    scenario: { ...TWO_REFRESHES, wants: ['migrate', 'refused'], faults: 1, leases: true },
    flaw: 'false mark',
  },
  {
    rule: 'a migration writes over whatever it meets, because it brings the same pair',
    file: 'renewal/merge.ts',
    original: 'if (!conflicted) return',
    replacement: "if (!conflicted || minted.grant === 'migration') return",
    scenario: { ...TWO_REFRESHES, wants: ['migrate', 'migrate', 'renew'], grace: 'none' },
    flaw: 'orphan',
  },
  {
    rule: 'a migration takes out the attempts that it finds before it begins',
    file: 'renewal/row.ts',
    original: 'attempts: [...left, attempt]',
    replacement: "attempts: grant === 'migration' ? [attempt] : [...left, attempt]",
    scenario: { ...TWO_REFRESHES, wants: ['migrate', 'acquire'], faults: 1 },
    flaw: 'silent loss',
  },
]

describe('rules that look natural', () => {
  afterEach(() => {
    forgetMutants(...MUTANTS.map(({ file }) => file))
  })

  it.each(MUTANTS.map((mutant) => [mutant.rule, mutant] as const))(
    'lose shops or say what is not so: %s',
    async (_rule, mutant) => {
      const explore = await explorerOf(mutant)
      const { flaws } = await explore(mutant.scenario, { until: mutant.flaw })
      expect([...flaws.keys()]).toContain(mutant.flaw)
    },
    120_000,
  )
})
