import { createHash } from 'node:crypto'
import type { Shop } from '../shop.js'
import type { HttpReply } from './http-reply.js'

/** App Bridge, as Shopify serves it. */
export const APP_BRIDGE_URL = 'https://cdn.shopify.com/shopifycloud/app-bridge.js'

/** For every answer of the OAuth routes: their addresses hold codes and states, which no other site may learn. */
const PRIVATE = {
  'cache-control': 'no-store',
  'referrer-policy': 'strict-origin',
  'x-content-type-options': 'nosniff',
}
const HTML = { ...PRIVATE, 'content-type': 'text/html; charset=utf-8' }

/** What a page says to a merchant. */
export interface Message {
  readonly status: number
  readonly title: string
  readonly text: string
  readonly code: string
  /** What to do about it: a path of the app. */
  readonly link?: { readonly href: string; readonly label: string } | undefined
}

export function redirect(location: string): HttpReply {
  return { status: 302, headers: { ...PRIVATE, location, 'content-type': 'text/plain; charset=utf-8' }, body: '' }
}

/**
 * App Bridge alone: it gets a session token, and puts the document that `shopify-reload` names in this one's place. As it
 * may do so without leaving the page, a policy about scripts or styles here would be one for the app's document.
 *
 * @see docs/embedded-apps.md; protocol of the official libraries
 */
export function bouncePage(clientId: string, shop: Shop | null): HttpReply {
  return {
    status: 200,
    headers: { ...HTML, 'content-security-policy': frameAncestors(shop) },
    body: document('Loading', appBridge(clientId)),
  }
}

/**
 * Leaves the admin's frame for `url`, where cookies and Shopify's authorize page work. App Bridge makes `window.open` do
 * so without a click; without App Bridge there is still the link.
 *
 * @see protocol of the official libraries
 */
export function exitIframePage(clientId: string, shop: Shop, url: string): HttpReply {
  const script = `window.open(${scriptText(url)}, '_top')`
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script)}' https://cdn.shopify.com`,
    // App Bridge's own: it measures, and shows a bar while it loads.
    "connect-src https:; img-src https:; style-src https: 'unsafe-inline'",
    ...["base-uri 'none'", "form-action 'none'", frameAncestors(shop)],
  ]
  const link = `<p><a href="${escaped(url)}" target="_top">Continue</a></p>`
  return {
    status: 200,
    headers: { ...HTML, 'content-security-policy': policy.join('; ') },
    body: document('Continue', `${appBridge(clientId)}${link}<script>${script}</script>`),
  }
}

const STYLE = [
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}',
  'body{max-width:32rem;margin:15vh auto;padding:0 1.5rem}',
  'h1{font-size:1.4rem;line-height:1.3}code{font-size:.8rem;opacity:.6}',
].join('')
const STYLE_HASH = `'sha256-${sha256(STYLE)}'`

/** A page without scripts. */
export function messagePage({ status, title, text, code, link }: Message, shop: Shop | null): HttpReply {
  const action = link === undefined ? '' : `<p><a href="${escaped(link.href)}">${escaped(link.label)}</a></p>`
  return {
    status,
    headers: {
      ...HTML,
      'content-security-policy': `default-src 'none'; style-src ${STYLE_HASH}; base-uri 'none'; form-action 'none'; ${frameAncestors(shop)}`,
    },
    body: document(
      title,
      `<style>${STYLE}</style><h1>${escaped(title)}</h1><p>${escaped(text)}</p>${action}<p><code>${escaped(code)}</code></p>`,
    ),
  }
}

/**
 * Who may show the page in a frame: the shop's admin. Without a shop, as after a reload that has lost its query, only the
 * admin that all shops share, and no shop's own domain: there merchants put what they like.
 *
 * @see protocol of the official libraries
 */
function frameAncestors(shop: Shop | null): string {
  return `frame-ancestors ${shop === null ? '' : `https://${shop} `}https://admin.shopify.com`
}

/** As a content security policy names what may stand in a page. */
function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

function appBridge(clientId: string): string {
  return `<script data-api-key="${escaped(clientId)}" src="${APP_BRIDGE_URL}"></script>`
}

function document(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title></head><body>${body}</body></html>`
}

/** Safe in text and in quoted attributes. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`)
}

/** A string of JavaScript that ends no script element. */
function scriptText(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
