import { readBounded } from '../../packages/core/src/oauth/read-bounded.js'

const stream = (chunks: Iterable<Uint8Array | string>, cancelled = (): void => undefined): Response => {
  const iterator = chunks[Symbol.iterator]()
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = iterator.next() as IteratorResult<Uint8Array | string, undefined>
        if (done === true) controller.close()
        else controller.enqueue(typeof value === 'string' ? Buffer.from(value) : value)
      },
      cancel: cancelled,
    },
    { highWaterMark: 0 },
  )
  return new Response(body)
}

describe('a body', () => {
  it('is read as text', async () => {
    await expect(readBounded(new Response('{"a":"ü"}'), 100)).resolves.toBe('{"a":"ü"}')
  })

  it('that is absent is empty', async () => {
    await expect(readBounded(new Response(null, { status: 204 }), 100)).resolves.toBe('')
  })

  it('is put together although a character was cut in two', async () => {
    const bytes = Buffer.from('a€b')

    await expect(readBounded(stream([bytes.subarray(0, 2), bytes.subarray(2)]), 100)).resolves.toBe('a€b')
  })

  it('may be as long as the limit', async () => {
    await expect(readBounded(stream(['abc', 'de']), 5)).resolves.toBe('abcde')
  })

  it('that is one byte longer than the limit is none', async () => {
    await expect(readBounded(stream(['abc', 'def']), 5)).resolves.toBeNull()
  })

  it('is measured in bytes, not in characters', async () => {
    await expect(readBounded(stream(['€€']), 5)).resolves.toBeNull()
  })

  it('without an end is given up at the limit, and its stream cancelled', async () => {
    const cancelled = jest.fn()
    let sent = 0
    function* endless(): Generator<string> {
      for (;;) {
        sent += 10
        yield 'x'.repeat(10)
      }
    }

    await expect(readBounded(stream(endless(), cancelled), 25)).resolves.toBeNull()

    expect(cancelled).toHaveBeenCalledTimes(1)
    expect(sent).toBe(30)
  })

  it('that is not UTF-8 is none, instead of text with replaced characters', async () => {
    await expect(readBounded(stream([Uint8Array.of(0x22, 0xff, 0xfe, 0x22)]), 100)).resolves.toBeNull()
    await expect(readBounded(stream([Buffer.from('€').subarray(0, 2)]), 100)).resolves.toBeNull()
  })

  it('loses a byte order mark, which JSON does not know', async () => {
    await expect(readBounded(stream(['\uFEFF{}']), 100)).resolves.toBe('{}')
  })

  it('that breaks off rejects', async () => {
    function* broken(): Generator<string> {
      yield 'half'
      throw new Error('reset')
    }

    await expect(readBounded(stream(broken()), 100)).rejects.toThrow('reset')
  })
})
