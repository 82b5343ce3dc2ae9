import { parseShop, type TokenEvent } from '@shopify-tokens/core'
import { FAKE_EPOCH, FakeClock } from '@shopify-tokens/testing'
import { EventBus } from '../../packages/core/src/events.js'

const shop = parseShop('acme.myshopify.com')
const HAPPENING = { type: 'rotation.unstored', shop, tries: 2 } as const

describe('the event bus', () => {
  let clock: FakeClock
  let bus: EventBus
  let warnings: jest.SpyInstance

  beforeEach(() => {
    clock = new FakeClock()
    bus = new EventBus(() => clock.now())
    warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  })

  afterEach(() => {
    warnings.mockRestore()
  })

  it('stamps the time on an event and hands it to every listener at once', () => {
    const first: TokenEvent[] = []
    const second: TokenEvent[] = []
    bus.subscribe((event) => first.push(event))
    bus.subscribe((event) => second.push(event))

    bus.emit(HAPPENING)

    expect(first).toEqual([{ ...HAPPENING, at: FAKE_EPOCH }])
    expect(second).toEqual(first)
  })

  it('does not read the clock when nobody listens', () => {
    const now = jest.fn(() => 0)

    new EventBus(now).emit(HAPPENING)

    expect(now).not.toHaveBeenCalled()
  })

  it('hands out events that a listener cannot change for the next one', () => {
    const seen: number[] = []
    bus.subscribe((event) => {
      expect(() => Object.assign(event, { tries: 99 })).toThrow(TypeError)
    })
    bus.subscribe((event) => seen.push(event.type === 'rotation.unstored' ? event.tries : -1))

    bus.emit(HAPPENING)

    expect(seen).toEqual([2])
  })

  it('stops calling a listener that was taken away', () => {
    const listener = jest.fn()
    const unsubscribe = bus.subscribe(listener)

    unsubscribe()
    unsubscribe()
    bus.emit(HAPPENING)

    expect(listener).not.toHaveBeenCalled()
  })

  it('goes on to the next listener when one throws, and warns', () => {
    const next = jest.fn()
    bus.subscribe(() => {
      throw new RangeError('shpat_secret in a message')
    })
    bus.subscribe(next)

    bus.emit(HAPPENING)

    expect(next).toHaveBeenCalledTimes(1)
    expect(warnings.mock.calls).toEqual([
      ['A listener for token events threw (RangeError) on rotation.unstored.', 'ShopifyTokensWarning'],
    ])
  })

  it('warns with the type of something thrown that is no error', () => {
    bus.subscribe(() => {
      throw 'shpat_secret'
    })

    bus.emit(HAPPENING)

    expect(warnings.mock.calls).toEqual([
      ['A listener for token events threw (string) on rotation.unstored.', 'ShopifyTokensWarning'],
    ])
  })

  it('warns of an asynchronous listener that fails, instead of ending the process', async () => {
    const unhandled = jest.fn()
    process.on('unhandledRejection', unhandled)
    bus.subscribe(async () => {
      await Promise.resolve()
      throw new TypeError('shpat_secret in a message')
    })

    bus.emit(HAPPENING)
    await clock.settle()
    process.off('unhandledRejection', unhandled)

    expect(unhandled).not.toHaveBeenCalled()
    expect(warnings.mock.calls).toEqual([
      ['A listener for token events threw (TypeError) on rotation.unstored.', 'ShopifyTokensWarning'],
    ])
  })
})
