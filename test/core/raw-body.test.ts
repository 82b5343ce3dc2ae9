import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { MAX_WEBHOOK_BYTES, rawBodyOf, type ParsedBody } from '@shopify-tokens/core'

type Read = Awaited<ReturnType<typeof rawBodyOf>>

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** The port of a server that does this with its requests. */
async function portOf(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** What is read of a body that has come over a connection, when `parse` has stood in front. */
async function readOf(
  body: Buffer,
  parse: (stream: IncomingMessage) => ParsedBody | Promise<ParsedBody> = () => ({}),
): Promise<{ readonly read: Read; readonly status: number }> {
  const reads: Read[] = []
  const port = await portOf((incoming, response) => {
    void Promise.resolve(parse(incoming)).then(async (parsed) => {
      reads.push(await rawBodyOf(incoming, parsed))
      response.end()
    })
  })
  const { status } = await fetch(`http://127.0.0.1:${String(port)}`, {
    ...{ method: 'POST', headers: { connection: 'close' } },
    body: new Uint8Array(body),
  })
  return { read: reads[0]!, status }
}

async function drained(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('the body of a webhook', () => {
  it('is read from the connection, byte for byte', async () => {
    const body = Buffer.from([0x7b, 0x22, 0xff, 0x00, 0xc3, 0xa9, 0x22, 0x7d])

    expect((await readOf(body)).read).toEqual({ rawBody: body, bodyWasParsed: false })
  })

  it('may be empty', async () => {
    expect((await readOf(Buffer.alloc(0))).read).toEqual({ rawBody: Buffer.alloc(0), bodyWasParsed: false })
  })

  it('is read although a parser that took no interest has left an empty object', async () => {
    expect((await readOf(Buffer.from('{}'), () => ({ body: {} }))).read).toEqual({
      ...{ rawBody: Buffer.from('{}'), bodyWasParsed: false },
    })
  })

  it.each([
    ['in rawBody, beside what it has made of them', (bytes: Buffer) => ({ rawBody: bytes, body: { parsed: true } })],
    ['in body', (bytes: Buffer) => ({ body: bytes })],
  ])('is what a parser has kept %s', async (_place, left) => {
    const { read } = await readOf(Buffer.from('{"a":1}'), async (stream) => left(await drained(stream)))

    expect(read).toEqual({ rawBody: Buffer.from('{"a":1}'), bodyWasParsed: false })
  })

  it('is lost when a parser has kept no byte of it', async () => {
    const { read } = await readOf(Buffer.from('{"a":1}'), async (stream) => ({
      body: JSON.parse((await drained(stream)).toString()) as unknown,
    }))

    expect(read).toEqual({ rawBody: undefined, bodyWasParsed: true })
  })

  it('is not read to its end when it is longer than any webhook, and the answer still gets through', async () => {
    const { read, status } = await readOf(Buffer.alloc(3 * MAX_WEBHOOK_BYTES, 'x'))

    expect(read.rawBody!.byteLength).toBeGreaterThan(MAX_WEBHOOK_BYTES)
    expect(read.rawBody!.byteLength).toBeLessThan(2 * MAX_WEBHOOK_BYTES)
    expect({ status, parsed: read.bodyWasParsed }).toEqual({ status: 200, parsed: false })
  })

  it('is not held piece by piece: one byte would cost as much as many', async () => {
    const [pieces, bytesEach] = [50_000, 16_384]
    let most = 0
    const stream = Readable.from(
      (function* () {
        for (let n = 0; n < pieces; n += 1) {
          // Like a piece of what a connection has read: it keeps all of that from being freed.
          yield Buffer.alloc(bytesEach).subarray(0, 1)
          if (n % 1_000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers)
        }
      })(),
    )
    const before = process.memoryUsage().arrayBuffers

    expect((await rawBodyOf(stream, {})).rawBody).toHaveLength(pieces)

    expect(most - before).toBeLessThan((pieces * bytesEach) / 2)
  })

  it('is none when its sender goes away in the middle', async () => {
    const reads: Promise<Read>[] = []
    const port = await portOf((incoming) => {
      reads.push(rawBodyOf(incoming, {}))
      sent.destroy()
    })
    const sent = request({ port, method: 'POST', headers: { 'content-length': '100' } }).on('error', () => undefined)
    sent.write('{"half":')
    await new Promise((resolve) => sent.once('close', resolve))

    expect(await reads[0]).toEqual({ rawBody: undefined, bodyWasParsed: false })
  })
})
