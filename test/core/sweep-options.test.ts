import type { TokenManager } from '@shopify-tokens/core'
import { parseKeepAliveOptions, parseSweepOptions } from '../../packages/core/src/keep-alive/sweep-options.js'
import { closeAll, managedApp } from './managed-app.js'

afterEach(closeAll)

const BAD_PACE: readonly [option: string, value: unknown, rule: string][] = [
  ['perSecond', 0, 'a whole number from 1 to 1000; got number'],
  ['perSecond', 1_001, 'a whole number from 1 to 1000; got number'],
  ['perSecond', 2.5, 'a whole number from 1 to 1000; got number'],
  ['perSecond', Number.NaN, 'a whole number from 1 to 1000; got number'],
  ['perSecond', '10', 'a whole number from 1 to 1000; got string'],
  ['perSecond', null, 'a whole number from 1 to 1000; got null'],
  ['concurrency', 0, 'a whole number from 1 to 100; got number'],
  ['concurrency', 101, 'a whole number from 1 to 100; got number'],
]

function refusal(option: string, rule: string): unknown {
  return expect.objectContaining({
    name: 'InvalidOptionError',
    code: 'ERR_INVALID_OPTION',
    options: [option],
    message: `Option ${option} must be ${rule}.`,
  })
}

describe('options of sweep()', () => {
  it('have the defaults that are documented', () => {
    expect(parseSweepOptions({})).toEqual({
      ...{ perSecond: 10, concurrency: 8, holdsProcess: true, signal: null, onProgress: null },
    })
  })

  it.each([
    ...BAD_PACE,
    ['signal', { aborted: false }, 'an AbortSignal; got object'],
    ['onProgress', 'log', 'a function; got string'],
  ])('%s: %p is refused before anything is read', async (option, value, rule) => {
    const { store, tokens } = await managedApp()

    await expect(tokens.sweep({ [option]: value })).rejects.toEqual(refusal(option, rule))
    expect(store.count()).toBe(0)
  })

  it('that nobody knows are refused', async () => {
    const { tokens } = await managedApp()

    await expect(tokens.sweep({ sweepEveryMs: 1 } as object)).rejects.toMatchObject({ options: ['sweepEveryMs'] })
  })
})

it.each([null, 'all'])('%p is refused where options are expected', async (options) => {
  const { tokens } = await managedApp()
  const refused = { code: 'ERR_INVALID_OPTION', options: ['options'] }

  await expect(tokens.sweep(options as never)).rejects.toMatchObject(refused)
  expect(() => {
    tokens.startKeepAlive(options as never)
  }).toThrow('Option options must be an object')
  expect(() => tokens.shops(options as never)).toThrow('Option options must be an object')
})

describe('options of startKeepAlive()', () => {
  it('have the defaults that are documented', () => {
    expect(parseKeepAliveOptions({})).toEqual({
      ...{ perSecond: 10, concurrency: 8, sweepEveryMs: 600_000, askedEveryMs: 2_000, holdsProcess: false },
    })
  })

  it.each([
    ...BAD_PACE,
    ['sweepEveryMs', 999, 'a whole number from 1000 to 86400000; got number'],
    ['sweepEveryMs', 86_400_001, 'a whole number from 1000 to 86400000; got number'],
    ['askedEveryMs', 9, 'a whole number from 10 to 600000; got number'],
    ['askedEveryMs', 600_001, 'a whole number from 10 to 600000; got number'],
    ['holdsProcess', 'yes', 'true or false; got string'],
  ])('%s: %p is refused, and nothing is started', async (option, value, rule) => {
    const { clock, tokens } = await managedApp()

    expect(() => {
      tokens.startKeepAlive({ [option]: value })
    }).toThrow(refusal(option, rule) as Error)
    expect(clock.sleepers).toBe(0)
  })

  it.each(['signal', 'onProgress', 'every'])('do not include %s', async (option) => {
    const { tokens } = await managedApp()

    expect(() => {
      tokens.startKeepAlive({ [option]: undefined })
    }).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [option] }) as Error)
  })
})

describe('a process that renews nothing', () => {
  const verbs: Readonly<Record<string, (tokens: TokenManager) => unknown>> = {
    sweep: (tokens) => tokens.sweep(),
    startKeepAlive: async (tokens) => {
      await Promise.resolve()
      tokens.startKeepAlive()
    },
    renewIfDue: (tokens) => tokens.renewIfDue('acme.myshopify.com' as never),
  }

  it.each(Object.keys(verbs))('does not %s', async (verb) => {
    const { tokens } = await managedApp({ renewal: 'never' })

    await expect(verbs[verb]?.(tokens)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', options: ['renewal'] })
  })

  it('can be asked how the shops stand', async () => {
    const { seed, tokens } = await managedApp({ renewal: 'never' })
    await seed()
    const states = []
    for await (const state of tokens.shops()) states.push(state.shop)

    expect(states).toEqual(['acme.myshopify.com'])
  })
})
