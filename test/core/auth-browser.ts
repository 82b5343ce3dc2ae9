import { parse } from 'node:querystring'
import type { AuthFlow, AuthRequest, HttpReply } from '@shopify-tokens/core'

/** A browser as far as the OAuth routes matter: one origin, its cookies, and no redirect that is followed by itself. */
export class AuthBrowser {
  /** By name; what browsers do not store is left out. */
  readonly cookies = new Map<string, { readonly value: string; readonly path: string }>()
  readonly #flow: AuthFlow

  constructor(flow: AuthFlow) {
    this.#flow = flow
  }

  /** Asks the app for an address, absolute or not, and keeps the cookies of the answer. */
  async open(address: string, changed: Partial<AuthRequest> = {}): Promise<HttpReply | null> {
    const { pathname, search } = new URL(address, 'https://app.example.com')
    const sent = [...this.cookies].filter(([, { path }]) => pathname === path || pathname.startsWith(`${path}/`))
    const reply = await this.#flow.handle({
      method: 'GET',
      path: pathname,
      query: parse(search.slice(1)),
      cookies: sent.length === 0 ? undefined : sent.map(([name, { value }]) => `${name}=${value}`).join('; '),
      fetchDest: 'document',
      ...changed,
    })
    for (const cookie of cookiesOf(reply)) this.#keep(cookie)
    return reply
  }

  #keep(cookie: string): void {
    const [pair = '', ...attributes] = cookie.split('; ')
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
    const path = attributes.find((each) => each.startsWith('Path='))?.slice('Path='.length) ?? '/'
    if (cookie.length > 4_096) throw new Error('Browsers do not store a cookie of more than 4 kB')
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name)
    else this.cookies.set(name, { value, path })
  }
}

export function cookiesOf(reply: HttpReply | null): readonly string[] {
  const cookies = reply?.headers['set-cookie'] ?? []
  return typeof cookies === 'string' ? [cookies] : cookies
}

/** Where a reply sends the browser. */
export function locationOf(reply: HttpReply | null): string {
  const location = reply?.headers.location
  if (typeof location !== 'string') throw new Error(`No redirect, but ${String(reply?.status)}`)
  return location
}
