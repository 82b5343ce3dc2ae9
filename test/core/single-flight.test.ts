import { type Flight, SingleFlight } from '../../packages/core/src/renewal/single-flight.js'

function flightOf<T>(work: Promise<T>): Flight<T> {
  work.catch(() => undefined)
  return {
    usable: work,
    settled: work.then(
      () => undefined,
      () => undefined,
    ),
    hasRenewed: () => false,
  }
}

describe('SingleFlight', () => {
  it('gives callers who come together one run and one outcome', async () => {
    const flights = new SingleFlight<object>()
    let runs = 0
    const start = (): Flight<object> => {
      runs++
      return flightOf(Promise.resolve({ run: runs }))
    }

    const first = flights.share('shop', start)
    const second = flights.share('shop', start)

    expect([first.joined, second.joined]).toEqual([false, true])
    expect(await second.flight.usable).toBe(await first.flight.usable)
    expect(runs).toBe(1)
  })

  it('starts afresh after a failure', async () => {
    const flights = new SingleFlight<string>()
    const { flight } = flights.share('shop', () => flightOf(Promise.reject(new Error('first'))))
    await expect(flight.usable).rejects.toThrow('first')
    await flight.settled

    const again = flights.share('shop', () => flightOf(Promise.resolve('second')))
    expect(await again.flight.usable).toBe('second')
  })

  it('keeps keys apart', () => {
    const flights = new SingleFlight<string>()
    flights.share('a', () => flightOf(Promise.resolve('a')))

    expect(flights.isRunning('a')).toBe(true)
    expect(flights.isRunning('b')).toBe(false)
    expect(flights.running().map(([key]) => key)).toEqual(['a'])
  })

  it('holds a run that wants to be alone until nobody else runs', async () => {
    const flights = new SingleFlight<string>()
    const order: string[] = []
    const record = async (name: string): Promise<string> => {
      await Promise.resolve()
      order.push(name)
      return name
    }
    flights.share('shop', () => flightOf(record('first')))

    const alone = await Promise.all([
      flights.alone('shop', () => flightOf(record('second'))),
      flights.alone('shop', () => flightOf(record('third'))),
    ])
    await Promise.all(alone.map(({ usable }) => usable))

    expect(order).toEqual(['first', 'second', 'third'])
  })
})
