import { isRenewed } from './events.mjs'

/** @type {import('../story.mjs').Chapter} */
export async function firstVisit(stage, narrator, shop) {
  narrator.chapter(
    'A merchant opens the app for the first time',
    'Nothing is stored for this shop. The session token that its browser sends is verified, and exchanged for a pair ' +
      'while the request waits.',
  )
  const { express, nest, traffic } = stage
  const before = stage.tokenCalls(shop)
  const acquisition = stage.next(isRenewed(shop))
  const first = await traffic.ask(nest, shop)
  const { app, event } = await acquisition
  narrator.say(`acquired a pair in ${event.durationMs} ms and answered with it`, { app: app.name, shop })
  const second = await traffic.ask(express, shop)
  const calls = stage.tokenCalls(shop) - before
  narrator.claim(first.ok && second.ok && calls === 1, `answered with the same pair, token calls in all: ${calls}`, {
    ...{ app: express.name, shop },
    why: 'What one app acquires serves the other: they share one row.',
  })
  traffic.include(shop)
}
