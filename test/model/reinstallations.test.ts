import { acquire, install, type ProcessIndex, uninstall, webhook } from './actions.js'
import { play } from './play.js'
import { pass, type Period, together } from './steps.js'
import type { Circumstances } from './world.js'

const SINCE_LAST_GRANT: readonly Period[] = ['1 s', '10 min', '56 min']
const VISIT_AFTER_MS = [5, 30, 150_000]
const WEBHOOK_AFTER_MS = [0, 3, 31, 3_000, 151_000, 300_000]
const TOLD: readonly ProcessIndex[] = [0, 1]

/** The app is uninstalled and installed again, and the webhook comes before, during or after the merchant's visit. */
function meetings(): (readonly [period: Period, visitMs: number, webhookMs: number, told: ProcessIndex])[] {
  return SINCE_LAST_GRANT.flatMap((period) =>
    VISIT_AFTER_MS.flatMap((visitMs) =>
      WEBHOOK_AFTER_MS.flatMap((webhookMs) => TOLD.map((told) => [period, visitMs, webhookMs, told] as const)),
    ),
  )
}

it.each(['same-pair', 'new-pair'] as const)(
  'a shop that has installed the app again lives, whenever the webhook of the uninstall comes (%s)',
  async (replay) => {
    for (const [seed, [period, visitMs, webhookMs, told]] of meetings().entries()) {
      const circumstances: Circumstances = { replay, grace: 'until-used', seed }
      await play(circumstances, [
        pass(period),
        together(
          uninstall('acme'),
          install('acme', 1),
          acquire(0, 'acme', visitMs),
          webhook(told, 'acme', webhookMs),
          webhook(2, 'acme', webhookMs + 400_000),
        ),
      ])
    }
  },
  120_000,
)
