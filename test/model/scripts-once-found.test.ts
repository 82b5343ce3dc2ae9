/** What random scripts have once found; kept, because chance may not find it again. */
import { acquire, install, remove, request } from './actions.js'
import { clockOff, pass, together } from './steps.js'
import { type Outcome, World } from './world.js'

async function outcomesOf(seed: number): Promise<Outcome[]> {
  const world = await World.start({ replay: 'same-pair', grace: 'until-used', seed })
  try {
    for (const step of [together(install('acme'), acquire(0, 'acme')), pass('26 h'), clockOff(1, 10)]) {
      await step.run(world)
    }
    return await Promise.all([world.act(acquire(1, 'acme')), world.act(request(1, 'acme'))])
  } finally {
    await world.quiesce()
    await world.end()
  }
}

it('a request does not fail because the ID token of another caller, whose run it has joined, is refused', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const [visit, other] = await outcomesOf(seed)
    expect(visit!.error).toMatchObject({ code: 'ERR_INVALID_SESSION_TOKEN' })
    // It brought no ID token, and the pair could have been refreshed.
    expect(other).toMatchObject({ error: undefined, state: 'live' })
  }
})

it('a token is not served on when the renewal behind a request has found that the shop was removed', async () => {
  const world = await World.start({ replay: 'same-pair', grace: 'until-used', seed: 0 })
  try {
    const script = [
      together(install('acme'), acquire(0, 'acme')),
      together(request(2, 'acme')),
      together(remove(0, 'acme')),
    ]
    for (const step of [...script, pass('56 min'), together(request(2, 'acme'))]) await step.run(world)
    const { error } = await world.act(request(2, 'acme'))
    expect(error).toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
  } finally {
    await world.quiesce()
    await world.end()
  }
})
