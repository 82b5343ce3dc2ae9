import { markup, page } from './page.js'
import type { WireAnswer } from './wire-answer.js'

/** What the authorize page shows. */
export interface ConsentPageParts {
  readonly shop: string
  /** The app's client id: the fake knows no name. */
  readonly app: string
  readonly scopes: readonly string[]
  /** Whether the app is there already and asks for more. */
  readonly update: boolean
  /** What the browser came with, to be sent again with the merchant's answer. */
  readonly query: URLSearchParams
}

/** The form field with the merchant's answer. */
export const ANSWER_FIELD = 'answer'
/** Its value when the merchant agrees. */
export const AGREED = 'agreed'

/** The authorize page: what the app asks for, and the merchant's two buttons. */
export function consentPage({ shop, app, scopes, update, query }: ConsentPageParts): WireAnswer {
  const verb = update ? 'Update' : 'Install'
  const fields = [...query].map(([name, value]) => markup`<input type="hidden" name="${name}" value="${value}">`)
  const asked = scopes.map((scope) => markup`<li>${scope}</li>`)
  return page(
    `${verb} ${app}`,
    markup`<div class="bar"><b>${shop}</b></div>
<form class="card" method="post">
<h1>${verb} ${app}</h1>
<p>${update ? 'The app asks for other permissions.' : 'The app asks for these permissions.'}</p>
<ul>${asked}</ul>
${fields}
<div class="buttons">
<button name="${ANSWER_FIELD}" value="cancelled">Cancel</button>
<button name="${ANSWER_FIELD}" value="${AGREED}" class="primary">${verb}</button>
</div>
</form>`,
  )
}

/** The page that Shopify shows instead when the app's own request is wrong. */
export function oauthErrorPage(text: string): WireAnswer {
  const told = `Oauth error invalid_request: ${text}`
  return page(told, markup`<div class="card"><h1>${told}</h1></div>`, 400)
}
