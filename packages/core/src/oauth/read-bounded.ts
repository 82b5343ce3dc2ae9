import { isUtf8 } from 'node:buffer'

/** Reads a body as text; answers `null` as soon as it turns out longer than `maxBytes`, and when it is not UTF-8. */
export async function readBounded(response: Response, maxBytes: number): Promise<string | null> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop early cancels the stream and frees its connection.
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) return null
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  // Decoding would replace a broken byte, and a token with a replaced byte is another token.
  return isUtf8(body) ? new TextDecoder().decode(body) : null
}
