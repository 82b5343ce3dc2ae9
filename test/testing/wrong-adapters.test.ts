import { lockContract, lockContractClauses, tokenStoreClauses, tokenStoreContract } from '@shopify-tokens/testing'
import { failedClauses } from './wrong-adapters/collect.js'
import { HonestLock, lockBackendOf } from './wrong-adapters/honest-lock.js'
import { backendOf, HonestStore } from './wrong-adapters/honest-store.js'
import * as locks from './wrong-adapters/wrong-locks.js'
import * as stores from './wrong-adapters/wrong-stores.js'

/** Which clauses each wrong store must fail: these, and no others. */
const STORE_FAILURES: Record<keyof typeof stores, readonly string[]> = {
  InventsRows: ['TS-01'],
  CutsTokens: ['TS-02', 'TS-03'],
  ForgetsDeletedFields: ['TS-03'],
  SharesItsObjects: ['TS-04'],
  FoldsCase: ['TS-05'],
  AnswersTheOldVersion: ['TS-06'],
  LastWriteWins: [
    'TS-04',
    'TS-07',
    'TS-08',
    'TS-09',
    'TS-10',
    'TS-11',
    'TS-12',
    'TS-13',
    'TS-14',
    'TS-15',
    'TS-16',
    'TS-19',
  ],
  CreatesForEveryCaller: ['TS-04', 'TS-08', 'TS-11', 'TS-12', 'TS-15', 'TS-16'],
  CreatesInsteadOfReplacing: ['TS-09'],
  ChecksThenWrites: ['TS-10', 'TS-11', 'TS-12'],
  RestartsVersionsAfterRemoval: ['TS-13', 'TS-14'],
  CountsVersions: ['TS-14'],
  ReadsASnapshot: ['TS-07', 'TS-12', 'TS-15', 'TS-16', 'TS-19', 'TS-20', 'TS-25'],
  TellsItsOwnTime: ['TS-16', 'TS-20', 'TS-32', 'TS-34', 'TS-36'],
  AnswersWrittenOnTimeout: ['TS-17'],
  JoinsTheAmbientTransaction: ['TS-18'],
  OverwritesNewerFormats: ['TS-19'],
  AsksWithAWrite: ['TS-20', 'TS-21'],
  KeepsAsking: ['TS-21'],
  OrdersByLanguage: ['TS-22', 'TS-24'],
  NeverFindsTheAsked: ['TS-23', 'TS-38', 'TS-39'],
  SweepsFromAToZ: ['TS-38'],
  GoesOnBehindTheInstant: ['TS-23', 'TS-38'],
  VisitsTheAskedAgain: ['TS-38', 'TS-39', 'TS-41'],
  TellsTheAskedByTheirRows: ['TS-39'],
  BeginsASweepAnywhere: ['TS-40'],
  StopsAtTheUnreadable: ['TS-41'],
  ScansByOffset: ['TS-24', 'TS-39', 'TS-41'],
  AnnouncesTooSoon: ['TS-25'],
  AnnouncesTheShopAlone: ['TS-25', 'TS-26'],
  NeverStopsAnnouncing: ['TS-26'],
  IsAlwaysLive: ['TS-27'],
  CutsDeployments: ['TS-28'],
  NamesWhoeverComes: ['TS-29', 'TS-31'],
  KeepsOneDeployment: ['TS-30'],
  LooksThenNames: ['TS-31'],
  RemembersForItself: ['TS-32', 'TS-34', 'TS-35', 'TS-36', 'TS-37'],
  ForgetsWhatIsDone: ['TS-32', 'TS-33', 'TS-37'],
  FoldsTheCaseOfDeliveries: ['TS-33'],
  CutsDeliveries: ['TS-33'],
  LooksThenClaims: ['TS-34'],
  NeverTakesOver: ['TS-34', 'TS-35', 'TS-36', 'TS-37'],
  KeepsNoLease: ['TS-32', 'TS-34', 'TS-35', 'TS-36'],
  ReleasesNothing: ['TS-36'],
  ReleasesEveryClaim: ['TS-36', 'TS-37'],
  FinishesItsOwnClaim: ['TS-37'],
  IsDoneForOneLease: ['TS-37'],
}

const LOCK_FAILURES: Record<keyof typeof locks, readonly string[]> = {
  GivesOutToEveryCaller: ['LK-02', 'LK-04', 'LK-05', 'LK-07', 'LK-08', 'LK-09'],
  IgnoresTheResource: ['LK-03', 'LK-08'],
  LooksThenTakes: ['LK-04', 'LK-09'],
  NeverEnds: ['LK-01', 'LK-02', 'LK-05', 'LK-06', 'LK-07', 'LK-08', 'LK-09'],
  ReleasesForEverybody: ['LK-05', 'LK-07'],
  TrustsItsOwnClock: ['LK-08'],
}

describe('the TokenStore contract', () => {
  it('is kept by an honest adapter, every clause of it', async () => {
    expect(
      await failedClauses((runner) => {
        tokenStoreContract(runner, backendOf(HonestStore))
      }),
    ).toEqual([])
  })

  it.each(Object.entries(STORE_FAILURES))('finds that %s breaks exactly %j', async (name, expected) => {
    const Adapter = stores[name as keyof typeof stores]
    expect(
      await failedClauses((runner) => {
        tokenStoreContract(runner, backendOf(Adapter))
      }),
    ).toEqual(expected)
  })

  it('has no clause that no wrong adapter breaks', () => {
    const broken = new Set(Object.values(STORE_FAILURES).flat())
    expect([...broken].sort()).toEqual(tokenStoreClauses.map(({ id }) => id))
  })
})

describe('the Lock contract', () => {
  it('is kept by an honest adapter, every clause of it', async () => {
    expect(
      await failedClauses((runner) => {
        lockContract(runner, lockBackendOf(HonestLock))
      }),
    ).toEqual([])
  })

  it.each(Object.entries(LOCK_FAILURES))('finds that %s breaks exactly %j', async (name, expected) => {
    const Adapter = locks[name as keyof typeof locks]
    expect(
      await failedClauses((runner) => {
        lockContract(runner, lockBackendOf(Adapter))
      }),
    ).toEqual(expected)
  })

  it('has no clause that no wrong adapter breaks', () => {
    const broken = new Set(Object.values(LOCK_FAILURES).flat())
    expect([...broken].sort()).toEqual(lockContractClauses.map(({ id }) => id))
  })
})
