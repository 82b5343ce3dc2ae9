import { isRenewed } from './events.mjs'

/** @type {import('../story.mjs').Chapter} */
export async function lostAnswer(stage, narrator, shop) {
  narrator.chapter(
    "Shopify's answer is lost on the way",
    'The next renewal is granted, the old refresh token is retired, and then the connection breaks before the new pair ' +
      'arrives.',
  )
  const { tokenCallsByGrant: before } = stage.shopify.counters(shop)
  const loss = stage.shopify.faults.next(shop, { kind: 'reset', when: 'after' }, { grant: 'refresh' })
  const renewal = stage.next(isRenewed(shop))
  await narrator.untilDue(stage, shop)
  await loss.untilStruck()
  narrator.say('Shopify has rotated the pair, and nobody heard it', { shop, tone: 'trouble' })
  const { app, event } = await renewal
  const { tokenCallsByGrant: after } = stage.shopify.counters(shop)
  const replayed = after.refresh.replayed - before.refresh.replayed
  narrator.claim(
    replayed >= 1,
    `asked again with the same refresh token and got the pair, ${event.requests} requests`,
    {
      ...{ app: app.name, shop },
      why: 'The row said which refresh token was in doubt before Shopify was asked; giving it up would have lost the shop.',
    },
  )
}
