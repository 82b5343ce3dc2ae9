import fc from 'fast-check'
import {
  acquire,
  type Action,
  force,
  install,
  migrate,
  type ProcessIndex,
  remove,
  request,
  restore,
  sweep,
  uninstall,
  visit,
  webhook,
} from './actions.js'
import { MISHAPS } from './network.js'
import {
  clockOff,
  crash,
  network,
  pass,
  PERIODS,
  type Step,
  store,
  STORE_FAULTS,
  type StoreFaultName,
  together,
} from './steps.js'
import { type Circumstances, SHOPS, type World } from './world.js'

const someProcess = fc.constantFrom<ProcessIndex[]>(0, 1, 2)
/** Mostly the one that is installed from the beginning. */
const someShop = fc.constantFrom('acme', 'acme', ...SHOPS)
const someDelay = fc.constantFrom(0, 0, 0, 1, 5, 30, 3_000)

type ByProcess = (worker: ProcessIndex, shop: (typeof SHOPS)[number], afterMs: number) => Action
const often = <T>(times: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T>[] =>
  Array<fc.Arbitrary<T>>(times).fill(arbitrary)
const by = (action: ByProcess): fc.Arbitrary<Action> =>
  fc.tuple(someProcess, someShop, someDelay).map(([worker, shop, afterMs]) => action(worker, shop, afterMs))
const at = (action: typeof install): fc.Arbitrary<Action> =>
  fc.tuple(someShop, someDelay).map(([shop, afterMs]) => action(shop, afterMs))

const someAction = fc.oneof(
  { weight: 10, arbitrary: by(request) },
  { weight: 4, arbitrary: by(visit) },
  { weight: 2, arbitrary: by(acquire) },
  { weight: 2, arbitrary: by(force) },
  { weight: 2, arbitrary: by(migrate) },
  { weight: 1, arbitrary: by(sweep) },
  { weight: 1, arbitrary: at(restore) },
  { weight: 1, arbitrary: at(install) },
  { weight: 1, arbitrary: at(uninstall) },
  { weight: 1, arbitrary: by(webhook) },
  { weight: 1, arbitrary: by(remove) },
)

const someActions = fc.array(someAction, { minLength: 1, maxLength: 6 }).map((actions) => together(...actions))
/** Everybody wants the same. */
const burst = fc
  .tuple(someShop, fc.constantFrom(request, visit), fc.subarray<ProcessIndex>([0, 0, 1, 1, 2, 2], { minLength: 2 }))
  .map(([shop, action, workers]) => together(...workers.map((worker) => action(worker, shop))))
const someTime = fc.constantFrom(...PERIODS).map(pass)
const someMishap = fc
  .tuple(someShop, fc.constantFrom(...MISHAPS), fc.constantFrom(1, 1, 2, 9))
  .map((args) => network(...args))
const someStoreFault = fc
  .tuple(someProcess, fc.constantFrom(...(Object.keys(STORE_FAULTS) as StoreFaultName[])))
  .map((args) => store(...args))
const someCrash = fc
  .tuple(
    someProcess,
    fc.constantFrom('before', 'after'),
    fc.constantFrom(1, 2, 3),
    fc.constantFrom('put', 'fetch', 'get'),
  )
  .map((args) => crash(...args))
const someClock = fc.tuple(someProcess, fc.constantFrom(0, 10, -10)).map((args) => clockOff(...args))

export const someCircumstances: fc.Arbitrary<Circumstances> = fc.record({
  replay: fc.constantFrom('same-pair', 'same-verbatim', 'new-pair'),
  grace: fc.constantFrom('until-used', '60-minutes', 'none'),
  seed: fc.nat(999),
})

export function someScript(replayPath?: string): fc.Arbitrary<Iterable<Step>> {
  return fc.commands<World, World>(
    [
      ...often(4, someActions),
      ...often(3, burst),
      ...often(5, someTime),
      ...often(2, someMishap),
      someStoreFault,
      someCrash,
      someClock,
    ],
    { maxCommands: 30, size: 'max', ...(replayPath === undefined ? {} : { replayPath }) },
  ) as fc.Arbitrary<Iterable<Step>>
}
