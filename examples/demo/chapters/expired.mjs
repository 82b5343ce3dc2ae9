import { isRenewed } from './events.mjs'

const AT_EACH_APP = 20

/** @type {import('../story.mjs').Chapter} */
export async function expired(stage, narrator, shop) {
  const all = AT_EACH_APP * stage.apps.length
  narrator.chapter(
    'A token ended while nobody was looking',
    `${all} requests arrive in the same moment, half of them at each app, and not one of them has a token that works. ` +
      'Shopify gives a new pair for the refresh token, which this retires: forty calls would be thirty-nine too many.',
  )
  const before = stage.tokenCalls(shop)
  const renewal = stage.next(isRenewed(shop))
  const answers = await stage.traffic.burst(AT_EACH_APP, shop)
  const { app, event } = await renewal
  narrator.say(`renewed the pair in ${event.durationMs} ms`, {
    ...{ app: app.name, shop },
    why: 'All others waited for this one renewal: in this process for its promise, in the other for the row in the database.',
  })
  const calls = stage.tokenCalls(shop) - before
  const answered = answers.filter(({ ok }) => ok).length
  narrator.claim(answered === all && calls === 1, `${answered} of ${all} requests answered, token calls: ${calls}`, {
    shop,
  })
  stage.traffic.include(shop)
}
