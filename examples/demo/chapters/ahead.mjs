import { isRenewed } from './events.mjs'

/** Shorter than the app's patience with Shopify, on a slow machine too. */
const HELD_MS = 1_000
/** A request that waited for the renewal would take as long as the renewal is held, and longer. */
const AT_ONCE_MS = 1_000

/** @type {import('../story.mjs').Chapter} */
export async function ahead(stage, narrator, shop) {
  narrator.chapter(
    'A token is renewed ahead of its end',
    'In the last quarter of its life a token still works: it is served, and its renewal runs behind the requests. ' +
      'So that this can be seen, Shopify now takes its time over the answer.',
  )
  await narrator.untilDue(stage, shop)
  const before = stage.tokenCalls(shop)
  const hold = stage.shopify.hold('token', { shop })
  const renewal = stage.next(isRenewed(shop))
  await hold.arrived()
  narrator.say('a renewal has begun, and Shopify does not answer yet', { shop })
  const answers = await stage.traffic.stream(HELD_MS, shop)
  hold.release()
  const slowest = Math.max(...answers.map(({ ms }) => ms))
  narrator.claim(
    answers.every(({ ok }) => ok) && slowest < AT_ONCE_MS,
    `${answers.length} requests answered meanwhile, the slowest in ${slowest} ms`,
    { shop, why: 'No request waits for a renewal while a token with some life left is at hand.' },
  )
  const { app } = await renewal
  const calls = stage.tokenCalls(shop) - before
  narrator.claim(calls === 1, `the new pair is stored, token calls: ${calls}`, { app: app.name, shop })
}
