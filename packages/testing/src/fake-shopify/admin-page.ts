import { Markup, markup, page } from './page.js'
import type { WireAnswer } from './wire-answer.js'

/** What the admin page shows. */
export interface AdminPageParts {
  readonly shop: string
  /** The app's client id: the fake knows no name. */
  readonly app: string
  /** What the frame loads. */
  readonly source: string
  /** Where this page gets ID tokens. */
  readonly idTokenPath: string
}

/** The admin of a shop with the app in a frame, which {@link appBridge} talks to. */
export function adminPage({ shop, app, source, idTokenPath }: AdminPageParts): WireAnswer {
  return page(
    app,
    markup`<div class="bar"><b>${shop}</b></div>
<div class="admin">
<nav><span>Home</span><span>Orders</span><span>Products</span><span class="here">${app}</span></nav>
<iframe name="app-iframe" title="${app}" src="${source}"></iframe>
</div>
<script data-app-origin="${new URL(source).origin}" data-id-token-path="${idTokenPath}">${HOST}</script>`,
  )
}

/** The page's half of the talk: only the frame may ask, and only while it shows the app. */
const HOST = new Markup(`
const { appOrigin, idTokenPath } = document.currentScript.dataset
const frame = document.querySelector('iframe')
addEventListener('message', async ({ source, origin, data }) => {
  if (source !== frame.contentWindow || origin !== appOrigin) return
  if (data.asks === 'open') location.assign(data.url)
  if (data.asks === 'id-token') {
    const response = await fetch(idTokenPath, { method: 'POST' })
    source.postMessage({ answers: data.id, idToken: response.ok ? await response.text() : null }, origin)
  }
})
`)
