import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  fileKeyRing,
  InvalidOptionError,
  loadedKeyRing,
  parseSealingKeys,
  type SealingKey,
  staticKeyRing,
} from '@shopify-tokens/core'
import { FakeClock } from '@shopify-tokens/testing'

const key = (id: string, fill = 1): SealingKey => ({ id, bytes: new Uint8Array(32).fill(fill) })
const text = (id: string, fill = 1): string => `${id}:${Buffer.alloc(32, fill).toString('base64')}`

describe('a static key ring', () => {
  it('seals with the first key and opens with all', () => {
    const [first, second] = [key('k2', 2), key('k1', 1)]
    const ring = staticKeyRing([first, second])

    expect(ring.current()).toBe(first)
    expect(ring.byId('k2')).toBe(first)
    expect(ring.byId('k1')).toBe(second)
  })

  it.each(['k3', '', 'constructor', '__proto__'])('has no key under the unknown id %j', (id) => {
    expect(staticKeyRing([key('k1')]).byId(id)).toBeUndefined()
  })

  it.each<[what: string, keys: unknown[], rule: RegExp]>([
    ['no keys', [], /At least one/],
    ['a key of 16 bytes', [{ id: 'k1', bytes: new Uint8Array(16) }], /Sealing key 1 must be 32 bytes/],
    ['a key of 33 bytes', [key('k1'), { id: 'k2', bytes: new Uint8Array(33) }], /Sealing key 2 must be 32 bytes/],
    ['text of 32 characters as a key', [{ id: 'k1', bytes: 'x'.repeat(32) }], /Sealing key 1 must be 32 bytes/],
    ['an ArrayBuffer', [{ id: 'k1', bytes: new ArrayBuffer(32) }], /Sealing key 1 must be 32 bytes/],
    ['a key without bytes', [{ id: 'k1' }], /Sealing key 1 must be 32 bytes/],
    ['a key without an id', [{ bytes: new Uint8Array(32) }], /Sealing key 1 needs an id/],
    ['an empty id', [key('')], /Sealing key 1 needs an id/],
    ['an id of 65 characters', [key('k'.repeat(65))], /Sealing key 1 needs an id/],
    ['an id with a space', [key('k 1')], /Sealing key 1 needs an id/],
    ['an id with a line break', [key('k1\n')], /Sealing key 1 needs an id/],
    ['two keys with one id', [key('k1'), key('k1', 2)], /share an id/],
  ])('refuses %s', (_what, keys, rule) => {
    expect(() => staticKeyRing(keys as SealingKey[])).toThrow(InvalidOptionError)
    expect(() => staticKeyRing(keys as SealingKey[])).toThrow(rule)
  })

  it('accepts an id of 64 characters', () => {
    expect(staticKeyRing([key('A.b_c-9'.padEnd(64, 'x'))]).current()).toBeDefined()
  })
})

describe('keys as text', () => {
  it('are separated by commas or line breaks of any kind', () => {
    const keys = parseSealingKeys(`${text('a')},${text('b')}\n${text('c')}\r\n\n ${text('d')} ,`)

    expect(keys.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('are base64, padded or not, in either alphabet', () => {
    const bytes = Buffer.alloc(32, 0xfb)

    const keys = parseSealingKeys(`a:${bytes.toString('base64')},b:${bytes.toString('base64url')}`)

    expect(keys.map((each) => Buffer.from(each.bytes).equals(bytes))).toEqual([true, true])
  })

  it.each<[what: string, text: string, rule: RegExp]>([
    ['nothing', '', /At least one/],
    ['only separators', ' ,\n, ', /At least one/],
    ['no id', text('').slice(1), /Sealing key 1 must have the form id:base64/],
    ['an empty id', text(''), /Sealing key 1 needs an id/],
    ['no key', 'k1:', /Sealing key 1 must have the form/],
    ['a second colon', 'k1:a:b', /Sealing key 1 must have the form/],
    ['something that is no base64', 'k1:p@ssword', /Sealing key 1 must have the form/],
    ['a key that is too short', `${text('a')},b:cGxhbnRlZA==`, /Sealing key 2 must be 32 bytes/],
    ['the same id twice', `${text('a')},${text('a', 2)}`, /share an id/],
  ])('with %s are refused', (_what, given, rule) => {
    expect(() => parseSealingKeys(given)).toThrow(InvalidOptionError)
    expect(() => parseSealingKeys(given)).toThrow(rule)
  })

  it.each(['k1:cGxhbnRlZA==', 'cGxhbnRlZA=='])('are never repeated in an error: %s', (given) => {
    let message = ''
    try {
      parseSealingKeys(given)
    } catch (error) {
      message = (error as Error).message
    }

    expect(message).toMatch(/^Sealing key 1 must/)
    expect(message).not.toContain('cGxhbnRlZA')
  })
})

describe('a loaded key ring', () => {
  let clock: FakeClock

  beforeEach(() => {
    clock = new FakeClock()
  })

  it('loads nothing before a key is needed', () => {
    const load = jest.fn(async () => [key('k1')])

    loadedKeyRing(load, { clock })

    expect(load).not.toHaveBeenCalled()
  })

  it('loads once for all who ask at the same time', async () => {
    const load = jest.fn(async () => [key('k2', 2), key('k1')])
    const ring = loadedKeyRing(load, { clock })

    const [current, again, older] = await Promise.all([ring.current(), ring.current(), ring.byId('k1')])

    expect([current.id, again.id, older?.id]).toEqual(['k2', 'k2', 'k1'])
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('uses what it has loaded until it is older than maxAgeMs', async () => {
    const load = jest.fn(async () => [key('k1')])
    load.mockResolvedValueOnce([key('k1')]).mockResolvedValueOnce([key('k2')])
    const ring = loadedKeyRing(load, { clock, maxAgeMs: 1_000 })

    expect((await ring.current()).id).toBe('k1')
    await clock.advance(999)
    expect((await ring.current()).id).toBe('k1')
    await clock.advance(1)
    expect((await ring.current()).id).toBe('k2')
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('uses them for five minutes unless told otherwise', async () => {
    const load = jest.fn(async () => [key('k1')])
    const ring = loadedKeyRing(load, { clock })
    await ring.current()

    await clock.advance(299_999)
    await ring.current()
    expect(load).toHaveBeenCalledTimes(1)
    await clock.advance(1)
    await ring.current()
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('loads again at once when a value names a key that it does not have', async () => {
    const loads = [[key('k1')], [key('k2', 2), key('k1')]]
    const ring = loadedKeyRing(async () => loads.shift() ?? [], { clock })
    await ring.current()

    await expect(ring.byId('k2')).resolves.toMatchObject({ id: 'k2' })
  })

  it('says that there is no such key after it has looked again', async () => {
    const ring = loadedKeyRing(async () => [key('k1')], { clock })

    await expect(ring.byId('k9')).resolves.toBeUndefined()
  })

  it('rejects while no keys could ever be loaded, and tries again at the next call', async () => {
    const load = jest.fn(async (): Promise<SealingKey[]> => [key('k1')])
    load.mockRejectedValueOnce(new Error('away'))
    const ring = loadedKeyRing(load, { clock })

    await expect(ring.current()).rejects.toThrow('away')
    await expect(ring.current()).resolves.toMatchObject({ id: 'k1' })
  })

  it('works without options', async () => {
    await expect(loadedKeyRing(async () => [key('k1')]).current()).resolves.toMatchObject({ id: 'k1' })
  })

  it('rejects when what was loaded is no ring', async () => {
    await expect(loadedKeyRing(async () => [], { clock }).current()).rejects.toThrow(InvalidOptionError)
  })

  describe('whose keys have been loaded before', () => {
    it('keeps them in use when a load fails', async () => {
      const load = jest.fn(async () => [key('k1')])
      const ring = loadedKeyRing(load, { clock, maxAgeMs: 1_000 })
      await ring.current()
      load.mockRejectedValue(new Error('away'))
      await clock.advance(1_000)

      await expect(ring.current()).resolves.toMatchObject({ id: 'k1' })
      await expect(ring.byId('k1')).resolves.toMatchObject({ id: 'k1' })
    })

    it('does not ask again with every call while loads fail', async () => {
      const load = jest.fn(async () => [key('k1')])
      const ring = loadedKeyRing(load, { clock })
      await ring.current()
      load.mockRejectedValue(new Error('away'))
      await clock.advance(300_000)
      load.mockClear()

      await ring.current()
      await ring.current()
      await clock.advance(9_999)
      await ring.byId('k1')
      expect(load).toHaveBeenCalledTimes(1)

      await clock.advance(1)
      await ring.current()
      expect(load).toHaveBeenCalledTimes(2)
    })

    it('keeps them in use when a load hangs, and gives it up', async () => {
      const signals: AbortSignal[] = []
      const load = jest.fn<Promise<SealingKey[]>, [AbortSignal]>(async () => [key('k1')])
      const ring = loadedKeyRing(load, { clock, timeoutMs: 700 })
      await ring.current()
      load.mockImplementation((signal) => {
        signals.push(signal)
        return new Promise(() => undefined)
      })
      await clock.advance(300_000)

      const current = ring.current()
      await clock.advance(700)

      await expect(current).resolves.toMatchObject({ id: 'k1' })
      expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    })

    it('cannot tell whether an unknown key exists when the load for it fails, and rejects', async () => {
      const load = jest.fn(async () => [key('k1')])
      const ring = loadedKeyRing(load, { clock })
      await ring.current()
      load.mockRejectedValue(new Error('away'))

      await expect(ring.byId('k2')).rejects.toThrow('away')
    })
  })

  it.each([{ maxAgeMs: 0 }, { maxAgeMs: 86_400_000 }, { timeoutMs: 1 }, { timeoutMs: 60_000 }])(
    'takes the ends of a range: %j',
    (options) => {
      expect(() => loadedKeyRing(async () => [key('k1')], options)).not.toThrow()
    },
  )

  it('waits a second for a load unless told otherwise', async () => {
    const ring = loadedKeyRing(() => new Promise(() => undefined), { clock })
    const outcome = Promise.resolve(ring.current()).then(
      () => 'loaded',
      (error: unknown) => (error as Error).name,
    )
    const state = (): Promise<string> => Promise.race([outcome, clock.settle().then(() => 'waiting')])

    await clock.advance(999)
    expect(await state()).toBe('waiting')
    await clock.advance(1)
    expect(await state()).toBe('DeadlineExceeded')
  })

  it.each([
    ['maxAgeMs', NaN],
    ['maxAgeMs', -1],
    ['maxAgeMs', 0.5],
    ['maxAgeMs', 86_400_001],
    ['maxAgeMs', '1000'],
    ['timeoutMs', NaN],
    ['timeoutMs', 0],
    ['timeoutMs', 60_001],
    ['timeoutMs', Infinity],
  ])('refuses the option %s of %j by its name', (name, value) => {
    const build = (): unknown => loadedKeyRing(async () => [key('k1')], { [name]: value as number })

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(`Option ${name} must be a whole number`)
  })
})

describe('a key ring over a file', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'key-ring-'))
  })

  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('notices a changed file within maxAgeMs', async () => {
    const clock = new FakeClock()
    const file = join(folder, 'keys')
    await writeFile(file, text('k1'))
    const ring = fileKeyRing(file, { clock, maxAgeMs: 1_000 })
    expect((await ring.current()).id).toBe('k1')

    await writeFile(file, `${text('k2', 2)}\n${text('k1')}\n`)
    await clock.advance(1_000)

    expect((await ring.current()).id).toBe('k2')
    expect((await ring.byId('k1'))?.id).toBe('k1')
  })

  it('rejects when there is no such file', async () => {
    await expect(fileKeyRing(join(folder, 'none')).current()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
