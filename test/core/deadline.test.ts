import { getEventListeners } from 'node:events'
import { FakeClock } from '@shopify-tokens/testing'
import { DeadlineExceeded, untilAborted, withDeadline } from '../../packages/core/src/deadline.js'

const never = (): Promise<never> => new Promise(() => undefined)

describe('withDeadline', () => {
  it('answers with what the work brought in time', async () => {
    await expect(withDeadline(new FakeClock(), 100, () => Promise.resolve('done'))).resolves.toBe('done')
  })

  it('leaves no timer behind', async () => {
    const clock = new FakeClock()

    await withDeadline(clock, 100, () => Promise.resolve('done'))

    expect(clock.sleepers).toBe(0)
  })

  it('rejects with what the work rejected with', async () => {
    const failure = new Error('refused')

    await expect(withDeadline(new FakeClock(), 100, () => Promise.reject(failure))).rejects.toBe(failure)
  })

  it('rejects and aborts the signal when the work takes longer', async () => {
    const clock = new FakeClock()
    let signal: AbortSignal | undefined
    const outcome = withDeadline(clock, 100, (given) => {
      signal = given
      return never()
    }).catch((error: unknown) => error)

    await clock.advance(99)
    expect(signal?.aborted).toBe(false)
    await clock.advance(1)

    const error = await outcome
    expect(error).toBeInstanceOf(DeadlineExceeded)
    expect((error as Error).message).toBe('No answer within 100 ms.')
    expect(signal?.reason).toBe(error)
  })

  it('does not abort the signal of work that has ended', async () => {
    const clock = new FakeClock()
    let signal: AbortSignal | undefined

    await withDeadline(clock, 100, async (given) => {
      signal = given
    })
    await clock.advance(1_000)

    expect(signal?.aborted).toBe(false)
  })

  it('hears a failure of the work after the deadline, so that it does not end the process', async () => {
    const clock = new FakeClock()
    const unhandled = jest.fn()
    process.on('unhandledRejection', unhandled)
    const outcome = withDeadline(clock, 100, async () => {
      await clock.sleep(200)
      throw new Error('too late')
    }).catch((error: unknown) => error)

    await clock.advance(300)
    process.off('unhandledRejection', unhandled)

    expect(await outcome).toBeInstanceOf(DeadlineExceeded)
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('untilAborted', () => {
  it('is the work itself when there is no signal', async () => {
    await expect(untilAborted(Promise.resolve(1), undefined)).resolves.toBe(1)
  })

  it('answers with what the work brought', async () => {
    await expect(untilAborted(Promise.resolve(1), new AbortController().signal)).resolves.toBe(1)
  })

  it('rejects with what the work rejected with', async () => {
    const failure = new Error('refused')

    await expect(untilAborted(Promise.reject(failure), new AbortController().signal)).rejects.toBe(failure)
  })

  it('rejects with the reason of the signal, untouched, when it aborts', async () => {
    const controller = new AbortController()
    const reason = { odd: true }
    const waiting = untilAborted(never(), controller.signal)

    controller.abort(reason)

    await expect(waiting).rejects.toBe(reason)
  })

  it('rejects although the work is done when the signal had aborted before', async () => {
    await expect(untilAborted(Promise.resolve(1), AbortSignal.abort('gone'))).rejects.toBe('gone')
  })

  it('hears a failure of work for which nobody waits any more', async () => {
    const unhandled = jest.fn()
    process.on('unhandledRejection', unhandled)

    await expect(untilAborted(Promise.reject(new Error('too late')), AbortSignal.abort('gone'))).rejects.toBe('gone')
    await new FakeClock().settle()
    process.off('unhandledRejection', unhandled)

    expect(unhandled).not.toHaveBeenCalled()
  })

  it('takes its listener off the signal when the work ends', async () => {
    const { signal } = new AbortController()

    const waiting = untilAborted(Promise.resolve(1), signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await waiting

    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('listens once to a signal on which many wait, for as long as one of them does', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const early = Array.from({ length: 20 }, () => untilAborted(Promise.resolve(1), signal))
    const late = Array.from({ length: 20 }, () => untilAborted(never(), signal))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)

    await Promise.all(early)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    controller.abort('gone')

    expect(await Promise.allSettled(late)).toEqual(late.map(() => ({ status: 'rejected', reason: 'gone' })))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})
