/** @type {import('../story.mjs').Chapter} */
export async function restart(stage, narrator, shop) {
  const { nest, traffic } = stage
  narrator.chapter(
    'An app is killed and started again',
    'A deployment without a goodbye: the Nest app is ended in the middle of its life, the other one serves alone.',
  )
  await traffic.drain(nest)
  await nest.kill()
  stage.tellApp(nest)
  narrator.say('killed; what it held in memory is gone', { app: nest.name, tone: 'trouble' })
  await nest.start()
  stage.tellApp(nest)
  const before = stage.renewals.get(nest.name) ?? 0
  const { ok } = await traffic.ask(nest, shop)
  const renewals = (stage.renewals.get(nest.name) ?? 0) - before
  narrator.claim(ok && renewals === 0, `back, and its first request answered; renewals needed for that: ${renewals}`, {
    ...{ app: nest.name, shop },
    why: 'Every pair was in the database before anybody used it. A token kept in memory alone would have died here.',
  })
  traffic.restore(nest)
}
