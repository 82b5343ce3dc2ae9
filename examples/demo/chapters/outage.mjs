import { setTimeout as pause } from 'node:timers/promises'
import { isRenewed } from './events.mjs'

/** Within a lease: the run that meets the outage announces itself at its beginning, and the next one meets none. */
const OUTAGE_MS = 2_900

/** @type {import('../story.mjs').Chapter} */
export async function outage(stage, narrator, shop) {
  narrator.chapter(
    "Shopify's token endpoint is out of order",
    'For some seconds every token request gets an error page, in the very moment in which a token is due.',
  )
  await narrator.untilDue(stage, shop)
  const { traffic } = stage
  const { answered, failed } = traffic
  traffic.slowest = 0
  const page = stage.shopify.faults.next('*', { kind: 'html', status: 503, when: 'before' }, { times: Infinity })
  stage.tellOutage(true)
  const renewal = stage.next(isRenewed(shop))
  await page.untilStruck()
  narrator.say('a renewal was due and got 503; it tries again, each time after a longer pause', {
    shop,
    tone: 'trouble',
  })
  await pause(OUTAGE_MS, undefined, { ref: false })
  page.cancel()
  stage.tellOutage(false)
  narrator.claim(
    traffic.failed === failed,
    `${traffic.answered - answered} requests answered during the outage, ${traffic.failed - failed} failed; ` +
      `token calls refused: ${page.struck}`,
    { why: 'Renewing early buys this time: the tokens at hand outlive the outage.' },
  )
  const { app } = await renewal
  narrator.claim(
    traffic.failed === failed,
    `the endpoint is back, and so is a fresh pair; the slowest answer of all this took ${traffic.slowest} ms`,
    { app: app.name, shop },
  )
}
