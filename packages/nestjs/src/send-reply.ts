import type { HttpReply } from '@shopify-tokens/core'
import type { HttpAdapterHost } from '@nestjs/core'

type HttpAdapter = HttpAdapterHost['httpAdapter']

const EXPOSED = 'access-control-expose-headers'

/** Sends an answer as it is, on any platform. */
export function sendReply(adapter: HttpAdapter, response: unknown, { status, headers, body }: HttpReply): void {
  for (const [name, value] of Object.entries(headers)) {
    const lines = [value].flat()
    if (name === 'set-cookie') for (const cookie of lines) adapter.appendHeader(response, name, cookie)
    else adapter.setHeader(response, name, (name === EXPOSED ? exposed(adapter, response, lines) : lines).join(', '))
  }
  adapter.reply(response, body, status)
}

/** What the application's CORS settings expose stays exposed. */
function exposed(adapter: HttpAdapter, response: unknown, lines: readonly string[]): readonly string[] {
  const present: unknown = adapter.getHeader(response, EXPOSED)
  return typeof present === 'string' ? [present, ...lines] : lines
}
