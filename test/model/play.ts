import { acquire, install } from './actions.js'
import { judge, lookAt } from './judge.js'
import { type Step, together } from './steps.js'
import { type Circumstances, hostOf, SHOPS, World } from './world.js'

/** Plays a script to its end, where everything is well again and every shop must work, or can be made to work. */
export async function play(circumstances: Circumstances, script: Iterable<Step>): Promise<void> {
  const world = await World.start(circumstances)
  try {
    await together(install('acme'), acquire(0, 'acme')).run(world)
    for (const step of script) if (step.check(world)) await step.run(world)
    await allIsWell(world)
  } finally {
    await world.end()
  }
}

const PAST_EVERY_LEASE_AND_PAUSE_MS = 2 * 3_600_000

/** Faults off and time past leases and cool-downs: a new process serves every shop, if need be with its merchant's help. */
export async function allIsWell(world: World): Promise<void> {
  for (const worker of world.workers) worker.heal()
  await world.network.heal()
  await world.quiesce()
  await world.pass(PAST_EVERY_LEASE_AND_PAUSE_MS)
  const before = await lookAt(world)
  await judge(world, before, [])
  const { manager } = world.newWorker({ name: 'new', skewMs: 0 })
  for (const name of SHOPS) {
    const shop = hostOf(name)
    const idToken = world.shopify.sessionToken(shop)
    const why = world.reference(shop).merchantNeeded(world.clock.now())
    const answer = world.use(manager, shop, why === null ? undefined : idToken)
    const state = await answer.then(
      ({ value }) => world.shopify.accessTokenState(shop, value),
      (error: unknown) => String((error as { code?: string }).code),
    )
    await world.quiesce()
    const due = world.reference(shop).installed ? 'live' : 'ERR_REAUTHORIZATION_REQUIRED'
    if (state !== due) throw new Error(`in the end a token of ${shop} is ${state}, not ${due} (${why ?? 'no excuse'})`)
  }
}
