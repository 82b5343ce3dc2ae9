/** An HTTP answer before it is sent. `x-request-id` and `Date` are added when it goes out. */
export interface WireAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Answers with JSON. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): WireAnswer {
  const all = { 'content-type': 'application/json; charset=utf-8', ...headers }
  return { status, headers: all, body: JSON.stringify(body) }
}

/** Answers with a page for people, as Shopify and its proxies do when something is wrong. */
export function html(status: number, text: string): WireAnswer {
  const body = `<!DOCTYPE html>\n<html><head><title>${text}</title></head><body><h1>${text}</h1></body></html>\n`
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
}

/** Answers with plain text. */
export function text(status: number, body: string): WireAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

/** An error of the token endpoint: `error` and, where Shopify gives one, `error_description`. */
export interface OAuthError {
  readonly status: number
  readonly error: string
  readonly description?: string | undefined
}

/** Answers with an OAuth error: as JSON for `Accept: application/json`, otherwise as the HTML page that Shopify sends. */
export function oauthError({ status, error, description }: OAuthError, acceptsJson: boolean): WireAnswer {
  if (!acceptsJson)
    return html(status, description === undefined ? `Oauth error ${error}` : `Oauth error ${error}: ${description}`)
  return json(status, description === undefined ? { error } : { error, error_description: description })
}
