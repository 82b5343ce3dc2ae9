import { candidates, type ExpiringRecord, type Grant, type TokenRecord } from '@shopify-tokens/core'
import { aCoolDown, aMark, anAttempt, aRecord, FAKE_EPOCH } from '@shopify-tokens/testing'
import fc from 'fast-check'
import { merge, type Minted } from '../../packages/core/src/renewal/merge.js'

const read = aRecord.expiring({ refreshToken: 'R1', predecessor: 'R0' })
const own = anAttempt({ id: 'own' })

function minted(given: Partial<Omit<Minted, 'record'>> & { readonly record?: Minted['record'] } = {}): Minted {
  return {
    record: aRecord.expiring({ refreshToken: 'mine', predecessor: 'R1' }),
    grant: 'refresh',
    read,
    attemptIds: new Set(['own']),
    settledBefore: FAKE_EPOCH - 75_000,
    lateRequestMs: 75_000,
    ...given,
  }
}

function put(result: ReturnType<typeof merge>): ExpiringRecord {
  if (result.outcome !== 'put' || result.record.kind !== 'expiring') throw new Error(`not put: ${result.outcome}`)
  return result.record
}

describe('a put without conflict', () => {
  it('leaves the pair, the presented token as predecessor, and nothing else', () => {
    const present = { ...read, attempts: [own], mark: aMark(), coolDown: aCoolDown(), alternates: ['A1'] }

    expect(put(merge(minted(), present, false))).toMatchObject({
      refreshToken: 'mine',
      predecessor: 'R1',
      alternates: [],
      mark: null,
      coolDown: null,
      attempts: [],
    })
  })

  it('leaves others’ attempts, except those whose requests have ended', () => {
    const young = anAttempt({ at: FAKE_EPOCH - 74_000 })
    const old = anAttempt({ at: FAKE_EPOCH - 76_000 })

    expect(put(merge(minted(), { ...read, attempts: [own, young, old] }, false)).attempts).toEqual([young])
  })
})

describe('a conflict', () => {
  it.each([
    ['current', { refreshToken: 'mine' }],
    ['alternate', { refreshToken: 'X', alternates: ['mine'] }],
    ['predecessor', { refreshToken: 'X', predecessor: 'mine' }],
  ])('adopts a row that holds the pair already as its %s', (_place, where) => {
    const present = aRecord.expiring(where)

    expect(merge(minted(), present, true)).toEqual({ outcome: 'stored', record: present })
  })

  it.each<[string, Grant]>([
    ['leads', 'id-token'],
    ['follows', 'refresh'],
  ])('keeps the earlier look of the two pairs when mine %s', (_place, grant) => {
    const present = aRecord.expiring({ refreshToken: 'X', renewAt: FAKE_EPOCH + 75_000 })
    const later = aRecord.expiring({ refreshToken: 'mine', obtainedAt: FAKE_EPOCH + 5_000 })
    const [mine, theirs] =
      grant === 'id-token'
        ? [later, present]
        : [
            { ...present, refreshToken: 'mine' },
            { ...later, refreshToken: 'X' },
          ]

    expect(put(merge(minted({ grant, record: mine }), theirs, true)).renewAt).toBe(FAKE_EPOCH + 75_000)
  })

  it('clears mark, cool-down and own attempts of a row it adopts', () => {
    const present = aRecord.expiring({ refreshToken: 'mine', attempts: [own], mark: aMark(), coolDown: aCoolDown() })

    expect(put(merge(minted(), present, true))).toEqual({ ...present, attempts: [], mark: null, coolDown: null })
  })

  it('keeps the pause that came with my pair when the row is my own write', () => {
    const coolDown = aCoolDown({ scope: 'rejected' })
    const record = aRecord.expiring({ refreshToken: 'mine', predecessor: 'R1', coolDown })

    expect(merge(minted({ record }), record, true)).toEqual({ outcome: 'stored', record })
    const theirs = { ...record, coolDown: aCoolDown({ until: 7 }), attempts: [own] }
    expect(put(merge(minted({ record }), theirs, true))).toEqual({ ...record, attempts: [] })
  })

  it('puts mine first when the current token stood in the reading', () => {
    const present = aRecord.expiring({ refreshToken: 'R1', alternates: ['N1'], predecessor: 'R0' })

    const record = put(merge(minted(), present, true))
    expect(candidates(record)).toEqual(['mine', 'N1', 'R1'])
  })

  it('puts mine last of the alternates when the current token is new', () => {
    const present = aRecord.expiring({ refreshToken: 'N1', alternates: ['N2'], predecessor: 'R1' })

    const record = put(merge(minted(), present, true))
    expect(candidates(record)).toEqual(['N1', 'N2', 'mine', 'R1'])
    expect(record.accessToken).toBe(present.accessToken)
  })

  it('puts an acquisition first whatever stands there, without a predecessor', () => {
    const present = aRecord.expiring({ refreshToken: 'N1', predecessor: 'R1' })
    const acquired = minted({
      grant: 'id-token',
      record: aRecord.expiring({ refreshToken: 'mine', predecessor: null }),
    })

    expect(candidates(put(merge(acquired, present, true)))).toEqual(['mine', 'N1'])
  })

  it('writes where the row has vanished', () => {
    expect(candidates(put(merge(minted(), null, true)))).toEqual(['mine', 'R1'])
  })

  it('adopts a non-expiring token that is there already', () => {
    const record = aRecord.nonExpiring()
    const present = { ...record, attempts: [own] }

    expect(merge(minted({ grant: 'id-token', record }), present, true)).toEqual({ outcome: 'put', record })
  })

  it('writes a non-expiring token over an empty row', () => {
    const record = aRecord.nonExpiring()

    expect(merge(minted({ grant: 'id-token', record }), aRecord.empty(), true)).toMatchObject({
      outcome: 'put',
      record,
    })
  })

  it('keeps eight candidates, dropping the alternates longest in the row', () => {
    const present = aRecord.expiring({ refreshToken: 'N0', alternates: ['N1', 'N2', 'N3', 'N4', 'N5', 'N6'] })

    expect(candidates(put(merge(minted(), present, true)))).toEqual(['N0', 'N2', 'N3', 'N4', 'N5', 'N6', 'mine', 'R1'])
  })
})

describe('a non-expiring token that somebody has brought meanwhile', () => {
  const brought = aRecord.nonExpiring({ attempts: [own], mark: aMark() })
  const original = aRecord.nonExpiring()

  it.each<Grant>(['refresh', 'migration', 'id-token', 'code'])(
    'stays: nothing has ended it, and it may have ended the pair by %s',
    (grant) => {
      const adopted = { outcome: 'put', record: { ...brought, attempts: [], mark: null } }

      expect(merge(minted({ grant }), brought, true)).toEqual(adopted)
      expect(merge(minted({ grant, read: original }), brought, true)).toEqual(adopted)
    },
  )

  it.each<Grant>(['migration', 'id-token'])('is replaced by the pair of %s when it stood there before', (grant) => {
    const present = { ...original, attempts: [own], mark: aMark() }

    expect(put(merge(minted({ grant, read: original }), present, true))).toMatchObject({
      refreshToken: 'mine',
      attempts: [],
      mark: null,
    })
  })
})

describe('the pair of a migration', () => {
  it('follows one that somebody else has brought', () => {
    const present = aRecord.expiring({ refreshToken: 'N1', predecessor: 'N0' })
    const record = aRecord.expiring({ refreshToken: 'mine' })
    const migrated = minted({ grant: 'migration', read: aRecord.nonExpiring(), record })

    expect(candidates(put(merge(migrated, present, true)))).toEqual(['N1', 'N0', 'mine'])
  })

  it('is there already when somebody else has made the same exchange, and renewed since', () => {
    const present = aRecord.expiring({ refreshToken: 'N1', predecessor: 'mine' })
    const migrated = minted({ grant: 'migration', read: aRecord.nonExpiring() })

    expect(merge(migrated, present, true)).toEqual({ outcome: 'stored', record: present })
  })

  it('stays when another migration brought a token without an end', () => {
    const present = aRecord.expiring({ attempts: [own] })
    const read = aRecord.nonExpiring()
    const inVain = (grant: Grant): Minted => minted({ grant, read, record: aRecord.nonExpiring() })

    expect(put(merge(inVain('migration'), present, true))).toEqual({ ...present, attempts: [] })
    expect(merge(inVain('id-token'), present, true)).toMatchObject({ record: { kind: 'non-expiring' } })
  })
})

describe('a tombstone', () => {
  const present = aRecord.removed({ removedAt: FAKE_EPOCH, attempts: [own] })

  it.each(['refresh', 'migration'] as const)('wins over a %s', (grant) => {
    expect(merge(minted({ grant }), present, true)).toEqual({ outcome: 'drop' })
  })

  it('is written over by an acquisition answered later than two minutes before the removal', () => {
    const acquired = (confirmedAt: number | null): Minted =>
      minted({ grant: 'code', record: aRecord.expiring({ confirmedAt }) })

    expect(merge(acquired(FAKE_EPOCH - 119_000), present, true).outcome).toBe('put')
    expect(merge(acquired(FAKE_EPOCH - 120_000), present, true).outcome).toBe('drop')
  })

  it('is written over by an acquisition of which nobody knows when it was', () => {
    const record = aRecord.expiring({ confirmedAt: null })
    expect(merge(minted({ grant: 'code', record }), present, true).outcome).toBe('put')
    expect(merge(minted({ grant: 'refresh', record }), present, true).outcome).toBe('drop')
  })
})

describe('a token of client credentials in a conflict', () => {
  const record = aRecord.clientCredentials({ accessToken: 'mine' })
  const requested = minted({ record, grant: 'client-credentials', read: null })

  it.each([1, 0])('gives way to one on record that lasts as long', (later) => {
    const present = aRecord.clientCredentials({ expiresAt: record.expiresAt + later })

    expect(merge(requested, present, true)).toEqual({ outcome: 'stored', record: present })
  })

  it('clears what stood in the way of the one it gives way to', () => {
    const others = anAttempt()
    const present = aRecord.clientCredentials({ coolDown: aCoolDown(), attempts: [own, others] })

    expect(merge(requested, present, true)).toEqual({
      outcome: 'put',
      record: { ...present, coolDown: null, attempts: [others] },
    })
  })

  it('replaces one that ends sooner, and a row without tokens', () => {
    const sooner = aRecord.clientCredentials({ expiresAt: record.expiresAt - 1, attempts: [own] })

    for (const present of [sooner, aRecord.empty({ attempts: [own] }), null]) {
      expect(merge(requested, present, true)).toEqual({ outcome: 'put', record: { ...record, attempts: [] } })
    }
  })

  it.each([aRecord.expiring(), aRecord.nonExpiring(), aRecord.static(), aRecord.removed()])(
    'is dropped for tokens that could not be requested again, and for a tombstone: $kind',
    (present) => {
      expect(merge(requested, present, true)).toEqual({ outcome: 'drop' })
    },
  )

  it('is replaced by the pair of an acquisition, which somebody asked for', () => {
    const acquired = minted({ grant: 'id-token' })

    expect(merge(acquired, record, true)).toMatchObject({ outcome: 'put', record: { refreshToken: 'mine' } })
  })
})

describe('whatever the rows', () => {
  const token = fc.constantFrom('R0', 'R1', 'N1', 'N2', 'N3', 'N4', 'N5', 'N6', 'N7', 'N8', 'N9')
  const row = fc.uniqueArray(token, { minLength: 1, maxLength: 8 }).chain((tokens) =>
    fc.boolean().map((hasPredecessor): ExpiringRecord => {
      const [refreshToken = 'R1', ...rest] = tokens
      const predecessor = hasPredecessor ? (rest.pop() ?? null) : null
      return aRecord.expiring({ refreshToken, alternates: rest, predecessor })
    }),
  )
  const grant = fc.constantFrom<Grant>('refresh', 'migration', 'id-token', 'code')

  it('loses neither the minted token nor one that was not in the reading, up to eight, and repeats none', () => {
    fc.assert(
      fc.property(row, row, grant, (reading, present, by) => {
        const predecessor = by === 'refresh' ? reading.refreshToken : null
        const record = aRecord.expiring({ refreshToken: 'mine', predecessor })
        const merged = candidates(put(merge(minted({ record, grant: by, read: reading }), present, true)))

        expect(new Set(merged).size).toBe(merged.length)
        expect(merged.length).toBeLessThanOrEqual(8)
        expect(merged).toContain('mine')
        if (predecessor !== null) expect(merged).toContain(predecessor)
        const mustStay = candidates(present).filter((each) => !candidates(reading).includes(each))
        if (mustStay.length + 2 <= 8) expect(merged).toEqual(expect.arrayContaining(mustStay))
      }),
      { numRuns: 2_000 },
    )
  })

  it('changes neither of the records it is given', () => {
    fc.assert(
      fc.property(row, row, (reading, present) => {
        const frozen = structuredClone(present) as TokenRecord
        merge(minted({ read: reading }), present, true)
        expect(present).toEqual(frozen)
      }),
    )
  })
})
