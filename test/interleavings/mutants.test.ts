import type { ExpiringRecord, TokenRecord } from '@shopify-tokens/core'
import type { Merge, Minted } from '../../packages/core/src/renewal/merge.js'
import type { explore as Explore } from './explore.js'

type Rule = (minted: Minted, present: TokenRecord | null, conflicted: boolean) => Merge

/** The explorer over renewal code whose merge is another rule. */
async function withMerge(rule: Rule): Promise<typeof Explore> {
  jest.resetModules()
  jest.doMock('../../packages/core/src/renewal/merge.js', () => ({ merge: rule }))
  return (await import('./explore.js')).explore
}

function put(record: ExpiringRecord, minted: Minted, present: TokenRecord | null): Merge {
  const attempts = (present?.attempts ?? []).filter(({ id }) => !minted.attemptIds.has(id))
  return { outcome: 'put', record: { ...record, attempts, mark: null, coolDown: null } }
}

afterEach(() => {
  jest.dontMock('../../packages/core/src/renewal/merge.js')
  jest.resetModules()
})

describe('rules of merging that look natural', () => {
  it.each<[string, Rule]>([
    [
      'keep the later pair, the other as previous',
      (minted, present, conflicted) => {
        const mine = minted.record as ExpiringRecord
        if (!conflicted || present?.kind !== 'expiring') return put(mine, minted, present)
        const [later, other] = mine.obtainedAt >= present.obtainedAt ? [mine, present] : [present, mine]
        return put({ ...later, predecessor: other.refreshToken, alternates: [] }, minted, present)
      },
    ],
    ['the last write wins', (minted, present) => put(minted.record as ExpiringRecord, minted, present)],
    [
      'no predecessor is kept',
      (minted, present) => put({ ...(minted.record as ExpiringRecord), predecessor: null }, minted, present),
    ],
  ])(
    'lose shops: %s',
    async (_name, rule) => {
      const explore = await withMerge(rule)
      const orphans: string[] = []
      for (const faults of [0, 1]) {
        for (const replay of ['new-pair', 'same-pair'] as const) {
          const scenario = {
            replay,
            grace: 'until-used',
            leases: false,
            wants: ['refresh', 'refresh'],
            faults,
          } as const
          if (orphans.length === 0) orphans.push(...(await explore(scenario)).orphans)
        }
      }
      expect(orphans).not.toEqual([])
    },
    60_000,
  )
})
