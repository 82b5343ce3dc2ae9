import { isHeld, MemoryLock, systemClock } from '@shopify-tokens/core'
import { FakeClock } from '@shopify-tokens/testing'
import { systemFetch } from '../../packages/core/src/ports/fetch.js'
import { systemRandom } from '../../packages/core/src/ports/random.js'

/** The timers that keep this process alive. */
function pendingTimers(): number {
  return process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length
}

describe("the machine's clock", () => {
  it('tells the time of day', () => {
    const before = Date.now()
    const now = systemClock.now()

    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThanOrEqual(Date.now())
  })

  it('measures durations that never run backwards', () => {
    const before = systemClock.monotonic()

    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before)
  })

  it('sleeps, and wakes by itself', async () => {
    const before = systemClock.monotonic()

    await systemClock.sleep(2)

    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(1)
  })

  it.each([0, -1, NaN])('does not sleep for %d milliseconds', async (ms) => {
    await expect(systemClock.sleep(ms, new AbortController().signal)).resolves.toBeUndefined()
  })

  it.each([
    ['keeps the process alive', undefined, 1],
    ['does not keep the process alive if it is told so', { ref: false }, 0],
  ])('%s while it sleeps', async (_does, options, timers) => {
    const controller = new AbortController()
    const before = pendingTimers()
    const sleep = systemClock.sleep(60_000, controller.signal, options)

    expect(pendingTimers() - before).toBe(timers)
    controller.abort('enough')
    await expect(sleep).rejects.toBe('enough')
  })

  it('rejects with the reason of the signal, not with the error of the timer', async () => {
    const controller = new AbortController()
    const sleep = systemClock.sleep(60_000, controller.signal)
    const reason = new Error('enough')

    controller.abort(reason)

    await expect(sleep).rejects.toBe(reason)
  })

  it.each([0, 60_000])('rejects at once when the signal had aborted before a sleep of %d ms', async (ms) => {
    await expect(systemClock.sleep(ms, AbortSignal.abort('gone'))).rejects.toBe('gone')
  })

  it.each([2 ** 31, Infinity])(
    'does not wake at once from a sleep of %d ms, as an overflowing timer would',
    async (ms) => {
      const controller = new AbortController()
      const long = systemClock.sleep(ms, controller.signal).then(
        () => 'woke',
        () => 'aborted',
      )

      const first = await Promise.race([long, systemClock.sleep(5).then(() => 'still asleep')])
      controller.abort()

      expect(first).toBe('still asleep')
      await expect(long).resolves.toBe('aborted')
    },
  )

  it('passes on a failure of the timer that is no abort', async () => {
    await expect(systemClock.sleep(1, {} as AbortSignal)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })
})

describe('the global fetch', () => {
  it('is looked up at every call, so that instrumentation installed later is used', async () => {
    const original = globalThis.fetch
    const answer = new Response('instrumented')
    const instrumented = jest.fn(async () => answer)
    globalThis.fetch = instrumented
    try {
      await expect(systemFetch('https://acme.myshopify.com/', { method: 'POST' })).resolves.toBe(answer)
    } finally {
      globalThis.fetch = original
    }
    expect(instrumented).toHaveBeenCalledWith('https://acme.myshopify.com/', { method: 'POST' })
  })
})

describe('chance', () => {
  it('lies in [0, 1)', () => {
    const drawn = Array.from({ length: 100 }, systemRandom)

    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...drawn)).toBeLessThan(1)
    expect(new Set(drawn).size).toBeGreaterThan(1)
  })
})

describe('isHeld', () => {
  it('tells a lock that somebody else holds from a lease', async () => {
    const lock = new MemoryLock({ clock: new FakeClock() })

    expect(isHeld(await lock.tryAcquire('acme', 100))).toBe(false)
    expect(isHeld(await lock.tryAcquire('acme', 100))).toBe(true)
  })
})
