import type { SessionTokenFlaw } from './errors.js'
import type { EventBus } from './events.js'
import { AppSignatures, type AppSignaturesOptions } from './oauth/app-signatures.js'
import { SessionTokenVerifier } from './oauth/id-token.js'

/** What verifies: the app's name and secrets, and Shopify's time. */
type Credentials = Pick<AppSignaturesOptions, 'clientId' | 'clientSecrets' | 'now'>

/** A verifier of session tokens whose refusals are told. */
export function watchedSessionTokens(credentials: Credentials, events: EventBus): SessionTokenVerifier {
  let isWarned = false
  return new SessionTokenVerifier({
    ...credentials,
    onRefused: (flaw, noneVerified) => {
      events.emit({ type: 'sessionToken.refused', flaw })
      // The likeliest mistake of a first day shows itself as 401 for every request; somebody must be told why. Once.
      if (isWarned || !noneVerified || !isOfOwnSettings(flaw)) return
      isWarned = true
      warnOfOwnSettings(flaw)
    },
  })
}

/** A verifier of callbacks and webhooks whose refusals are told. */
export function watchedSignatures(credentials: Credentials, events: EventBus): AppSignatures {
  return new AppSignatures({
    ...credentials,
    onRefused: (flaw) => {
      events.emit({ type: 'callback.refused', flaw })
    },
    onWebhookRefused: (flaw) => {
      events.emit({ type: 'webhook.refused', flaw })
    },
  })
}

type OwnFlaw = Extract<SessionTokenFlaw, 'signature' | 'audience'>

function isOfOwnSettings(flaw: SessionTokenFlaw): flaw is OwnFlaw {
  return flaw === 'signature' || flaw === 'audience'
}

const OPTIONS: Record<OwnFlaw, string> = {
  signature: 'client secret (clientSecret, SHOPIFY_API_SECRET)',
  audience: 'client id (clientId, SHOPIFY_API_KEY)',
}

function warnOfOwnSettings(flaw: OwnFlaw): void {
  process.emitWarning(
    `No session token has been accepted yet, and one was refused (${flaw}): compare the ${OPTIONS[flaw]} with the app's at Shopify.`,
    'ShopifyTokensWarning',
  )
}
