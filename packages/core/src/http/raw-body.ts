import type { Readable } from 'node:stream'
import { isUint8Array } from 'node:util/types'
import { MAX_WEBHOOK_BYTES, type WebhookRequest } from '../oauth/webhook.js'

/** Where body parsers leave what they have read. */
export interface ParsedBody {
  /** What most of them set; bytes after a parser that leaves them as they are. */
  readonly body?: unknown
  /** What an app, or its framework, may keep for signatures. */
  readonly rawBody?: unknown
}

/**
 * The body of a webhook, byte for byte: what a parser has kept of it, or else the stream itself, read here. Of a body that
 * is longer than any webhook it is the beginning, which is too long as well. Never rejects: a body that ends early is none.
 */
export async function rawBodyOf(
  stream: Readable,
  { body, rawBody }: ParsedBody,
): Promise<Pick<WebhookRequest, 'rawBody' | 'bodyWasParsed'>> {
  const kept = [rawBody, body].find((one) => isUint8Array(one))
  if (kept !== undefined) return { rawBody: kept, bodyWasParsed: false }
  // Not by `body`: parsers set it also where they have read nothing.
  if (stream.readableDidRead) return { rawBody: undefined, bodyWasParsed: true }
  return { rawBody: await bytesOf(stream).catch(() => undefined), bodyWasParsed: false }
}

/** Bodies that are shorter are never moved. Few webhooks are longer. */
const FIRST_BYTES = 16_384

/**
 * Copied as they come: a chunk costs some four hundred bytes however short it is, and whoever sends a body byte by byte
 * would have the process hold all of them before anything was verified.
 */
async function bytesOf(stream: Readable): Promise<Uint8Array> {
  let body = Buffer.alloc(FIRST_BYTES)
  let bytes = 0
  // Destroying the stream would end the connection, and nobody could read the answer.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    const needed = bytes + chunk.byteLength
    if (needed > body.byteLength) body = Buffer.concat([body], Math.max(needed, 2 * body.byteLength))
    body.set(chunk, bytes)
    bytes = needed
    if (bytes > MAX_WEBHOOK_BYTES) break
  }
  stream.resume()
  return body.subarray(0, bytes)
}
