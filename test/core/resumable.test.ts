import {
  type Checkpoint,
  type Chunk,
  InvalidOptionError,
  type JobProgress,
  resumable,
  type ResumableOptions,
} from '@shopify-tokens/core'

type Line = `line ${number}`

/** A checkpoint as it comes back from a database: what was saved is kept as text. */
class Row implements Checkpoint<number> {
  text: string | null = null
  readonly saved: JobProgress<number>[] = []

  async load(): Promise<JobProgress<number> | null> {
    return this.text === null ? null : (JSON.parse(this.text) as JobProgress<number>)
  }

  async save(progress: JobProgress<number>): Promise<void> {
    this.saved.push(progress)
    this.text = JSON.stringify(progress)
  }
}

let row: Row
let asked: (number | null)[]

beforeEach(() => {
  row = new Row()
  asked = []
})

/** A job of so many lines, two to a chunk. */
function linesOf(count: number, more: Partial<ResumableOptions<Line[], number>> = {}): AsyncGenerator<Line[]> {
  return resumable({
    checkpoint: row,
    next: async (after): Promise<Chunk<Line[], number>> => {
      asked.push(after)
      const from = after ?? 0
      const page = [from + 1, from + 2].filter((n) => n <= count).map((n): Line => `line ${n}`)
      return { page, position: from + page.length, last: from + page.length >= count }
    },
    ...more,
  })
}

async function readAll<Page>(chunks: AsyncIterable<Page>): Promise<Page[]> {
  const read: Page[] = []
  for await (const page of chunks) read.push(page)
  return read
}

describe('a job', () => {
  it('gives its chunks in order, and saves each when the loop comes back for the next', async () => {
    const savedBefore: number[] = []

    for await (const page of linesOf(5)) savedBefore.push(row.saved.length, page.length)

    expect(savedBefore).toEqual([0, 2, 1, 2, 2, 1])
    expect(asked).toEqual([null, 2, 4])
    expect(row.saved).toEqual([
      { position: 2, finished: false },
      { position: 4, finished: false },
      { position: 5, finished: true },
    ])
  })

  it('does no I/O before the loop begins', async () => {
    const load = jest.spyOn(row, 'load')

    linesOf(5)
    await Promise.resolve()

    expect(load).not.toHaveBeenCalled()
    expect(asked).toEqual([])
  })

  it('that is finished does nothing, until its progress is forgotten', async () => {
    await readAll(linesOf(3))
    asked = []

    expect(await readAll(linesOf(3))).toEqual([])
    expect(asked).toEqual([])
    expect(row.saved).toHaveLength(2)

    row.text = null
    expect(await readAll(linesOf(3))).toEqual([['line 1', 'line 2'], ['line 3']])
  })

  it('whose end shows only when nothing comes any more is finished where it stood', async () => {
    const next = async (after: number | null): Promise<Chunk<string, number> | undefined> =>
      after === null ? { page: 'only', position: 7 } : undefined

    expect(await readAll(resumable({ checkpoint: row, next }))).toEqual(['only'])

    expect(row.saved).toEqual([
      { position: 7, finished: false },
      { position: 7, finished: true },
    ])
  })

  it('that has nothing to do is finished at once', async () => {
    expect(await readAll(resumable({ checkpoint: row, next: async () => undefined }))).toEqual([])

    expect(row.saved).toEqual([{ position: null, finished: true }])
  })

  it('takes its last chunk without a position', async () => {
    expect(await readAll(resumable({ checkpoint: row, next: async () => ({ page: 'all', last: true }) }))).toEqual([
      'all',
    ])

    expect(row.saved).toEqual([{ position: null, finished: true }])
  })

  it('may count from zero', async () => {
    const next = async (after: number | null): Promise<Chunk<string, number>> => ({
      page: `after ${String(after)}`,
      position: after === null ? 0 : after + 1,
      last: after === 1,
    })

    expect(await readAll(resumable({ checkpoint: row, next }))).toEqual(['after null', 'after 0', 'after 1'])
  })
})

describe('a chunk that is not done', () => {
  it('comes again after its process has died, and no other does', async () => {
    const dying = linesOf(6)
    await dying.next()
    await dying.next() // And never again: a killed process tells its generators nothing.

    expect(await readAll(linesOf(6))).toEqual([
      ['line 3', 'line 4'],
      ['line 5', 'line 6'],
    ])
    expect(asked).toEqual([null, 2, 2, 4])
  })

  it.each<[how: string, leave: (page: Line[]) => 'break' | 'continue']>([
    [
      'throws',
      ([first]) => {
        if (first === 'line 3') throw new Error('the disk is full')
        return 'continue'
      },
    ],
    ['breaks', ([first]) => (first === 'line 3' ? 'break' : 'continue')],
  ])('comes again when the loop %s in the middle of it', async (_how, leave) => {
    const loop = async (): Promise<void> => {
      for await (const page of linesOf(6)) if (leave(page) === 'break') break
    }
    await loop().catch((error: unknown) => {
      expect(error).toEqual(new Error('the disk is full'))
    })

    expect(row.saved).toEqual([{ position: 2, finished: false }])
    expect((await readAll(linesOf(6)))[0]).toEqual(['line 3', 'line 4'])
  })

  it('comes again when it could not be got', async () => {
    let tries = 0
    const next = async (after: number | null): Promise<Chunk<number, number>> => {
      tries += 1
      if (tries === 2) throw new Error('away')
      return { page: after ?? 0, position: (after ?? 0) + 1, last: after === 2 }
    }

    await expect(readAll(resumable({ checkpoint: row, next }))).rejects.toThrow('away')

    expect(await row.load()).toEqual({ position: 1, finished: false })
    expect(await readAll(resumable({ checkpoint: row, next }))).toEqual([1, 2])
  })
})

describe('a checkpoint', () => {
  it('that cannot be saved ends the job, and stays as it was', async () => {
    const failure = new Error('the database is away')
    const pages: Line[][] = []
    const save = row.save.bind(row)
    row.save = (progress) => (progress.position === 4 ? Promise.reject(failure) : save(progress))

    const loop = async (): Promise<void> => {
      for await (const page of linesOf(6)) pages.push(page)
    }
    await expect(loop()).rejects.toBe(failure)

    expect(pages).toHaveLength(2)
    expect(await row.load()).toEqual({ position: 2, finished: false })
    row.save = save
    expect(await readAll(linesOf(6))).toEqual([
      ['line 3', 'line 4'],
      ['line 5', 'line 6'],
    ])
  })

  it('that cannot be loaded begins nothing', async () => {
    row.load = () => Promise.reject(new Error('the database is away'))

    await expect(readAll(linesOf(6))).rejects.toThrow('the database is away')

    expect(asked).toEqual([])
  })

  it.each([
    ['text', '"{}"'],
    ['{}', '{}'],
    ['a number', '4'],
    ['finished in words', '{"position":2,"finished":"no"}'],
  ])('that gives %s was never saved here, and begins nothing anew', async (_what, text) => {
    row.text = text

    await expect(readAll(linesOf(6))).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', options: ['checkpoint'] })

    expect(asked).toEqual([])
    expect(row.saved).toEqual([])
  })
})

describe('a signal', () => {
  it('ends the job between two chunks, with the one that is done saved', async () => {
    const controller = new AbortController()
    const pages: Line[][] = []

    const loop = async (): Promise<void> => {
      for await (const page of linesOf(6, { signal: controller.signal })) {
        pages.push(page)
        controller.abort('drained')
      }
    }
    await expect(loop()).rejects.toBe('drained')

    expect(pages).toEqual([['line 1', 'line 2']])
    expect(asked).toEqual([null])
    expect(row.saved).toEqual([{ position: 2, finished: false }])
  })

  it('that comes with the last chunk takes nothing from a finished job', async () => {
    const controller = new AbortController()

    for await (const page of linesOf(2, { signal: controller.signal })) controller.abort(page)

    expect(row.saved).toEqual([{ position: 2, finished: true }])
  })

  it('is handed on, so that a chunk under way can be given up', async () => {
    const { signal } = new AbortController()
    const next = jest.fn<Promise<undefined>, [number | null, AbortSignal | undefined]>(async () => undefined)

    await readAll(resumable({ checkpoint: row, next, signal }))

    expect(next.mock.calls).toEqual([[null, signal]])
  })
})

describe('bad input', () => {
  const next = async (): Promise<undefined> => undefined

  it.each<[what: string, options: object, option: string]>([
    ['no checkpoint', { next }, 'checkpoint'],
    ['a checkpoint without save', { next, checkpoint: { load: next } }, 'checkpoint'],
    ['a checkpoint without load', { next, checkpoint: { save: next } }, 'checkpoint'],
    ['no next', { checkpoint: new Row() }, 'next'],
    ['a signal that is none', { next, checkpoint: new Row(), signal: {} }, 'signal'],
    ['an option that there is not', { next, checkpoint: new Row(), chunk: 100 }, 'chunk'],
  ])('%s is refused when the job is made', (_what, options, option) => {
    const refused = expect(() => resumable(options as ResumableOptions<string, string>))
    refused.toThrow(InvalidOptionError)
    refused.toThrow(expect.objectContaining({ options: [option] }) as Error)
  })

  it('a chunk that has no position and is not the last is refused before it is given', async () => {
    const pages: string[] = []

    const loop = async (): Promise<void> => {
      for await (const page of resumable({ checkpoint: row, next: async () => ({ page: 'x' }) })) pages.push(page)
    }
    await expect(loop()).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', options: ['next'] })

    expect(pages).toEqual([])
    expect(row.saved).toEqual([])
  })
})
