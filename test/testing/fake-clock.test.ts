import { FAKE_EPOCH, FakeClock } from '@shopify-tokens/testing'

const HOUR_MS = 3_600_000

it('stands still until it is told to move, then moves both of its clocks', async () => {
  const clock = new FakeClock()
  expect([clock.now(), clock.monotonic()]).toEqual([FAKE_EPOCH, 0])
  await clock.advance(1_500)
  expect([clock.now(), clock.monotonic()]).toEqual([FAKE_EPOCH + 1_500, 1_500])
})

it('starts at the instant it is given', () => {
  expect(new FakeClock({ now: 42 }).now()).toBe(42)
})

it('wakes sleepers in the order in which they are due, each at its own instant', async () => {
  const clock = new FakeClock()
  const woken: [string, number][] = []
  const sleep = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms)
    woken.push([name, clock.monotonic()])
  }
  const all = [sleep('late', 300), sleep('early', 100), sleep('same', 100), sleep('later', 301)]
  await clock.advance(300)
  expect(woken).toEqual([
    ['early', 100],
    ['same', 100],
    ['late', 300],
  ])
  expect(clock.sleepers).toBe(1)
  await clock.advance(1)
  await Promise.all(all)
  expect(clock.sleepers).toBe(0)
})

it('wakes a sleeper who lay down again while time was passing', async () => {
  const clock = new FakeClock()
  const ticks: number[] = []
  const ticking = (async () => {
    for (let tick = 0; tick < 5; tick += 1) {
      await clock.sleep(100)
      await Promise.resolve().then(() => Promise.resolve())
      ticks.push(clock.monotonic())
    }
  })()
  await clock.advance(1_000)
  expect(ticks).toEqual([100, 200, 300, 400, 500])
  await ticking
})

it('rejects a sleep with the reason of its signal, before it begins or in the middle', async () => {
  const clock = new FakeClock()
  const before = new Error('before')
  await expect(clock.sleep(10, AbortSignal.abort(before))).rejects.toBe(before)

  const controller = new AbortController()
  const sleeping = clock.sleep(10, controller.signal)
  const middle = new Error('middle')
  controller.abort(middle)
  await expect(sleeping).rejects.toBe(middle)
  expect(clock.sleepers).toBe(0)
})

it('ends a sleep of no length at once', async () => {
  const clock = new FakeClock()
  await clock.sleep(0)
  await clock.sleep(-5)
  expect(clock.monotonic()).toBe(0)
})

it('jumps with the wall clock alone and wakes nobody', async () => {
  const clock = new FakeClock()
  let woken = false
  void clock.sleep(1_000).then(() => (woken = true))
  clock.jump(HOUR_MS)
  await clock.settle()
  expect([clock.now(), clock.monotonic(), woken]).toEqual([FAKE_EPOCH + HOUR_MS, 0, false])
  clock.jump(-2 * HOUR_MS)
  expect(clock.now()).toBe(FAKE_EPOCH - HOUR_MS)
})

it('tells when the code under test has come to where it waits', async () => {
  const clock = new FakeClock()
  const asleep = clock.untilAsleep(2)
  void clock.sleep(1)
  let told = false
  void asleep.then(() => (told = true))
  await clock.settle()
  expect(told).toBe(false)
  void clock.sleep(2)
  await asleep
  await clock.untilAsleep()
})

it('moves on by itself to the next sleeper when it is automatic', async () => {
  const clock = new FakeClock({ autoAdvance: true })
  await clock.sleep(HOUR_MS)
  await Promise.all([clock.sleep(HOUR_MS), clock.sleep(2 * HOUR_MS)])
  expect(clock.monotonic()).toBe(3 * HOUR_MS)
})

it('stands still, though automatic, while a watched call is under way', async () => {
  const clock = new FakeClock({ autoAdvance: true })
  let answer = (): void => undefined
  const call = clock.watch((value: string) => new Promise<string>((resolve) => (answer = resolve.bind(null, value))))
  const answered = call('answer')
  const timeout = clock.sleep(5_000).then(() => 'timeout')
  await clock.settle()
  await clock.settle()
  expect(clock.monotonic()).toBe(0)

  answer()
  await expect(Promise.race([answered, timeout])).resolves.toBe('answer')
  await timeout
  expect(clock.monotonic()).toBe(5_000)
})

it('stands still, though automatic, while there are only sleepers that keep no process alive', async () => {
  const clock = new FakeClock({ autoAdvance: true })
  const ticks: number[] = []
  void (async () => {
    for (;;) {
      await clock.sleep(HOUR_MS, undefined, { ref: false })
      ticks.push(clock.monotonic())
    }
  })()
  await clock.settle()
  expect(clock.monotonic()).toBe(0)

  await clock.sleep(2.5 * HOUR_MS)
  expect(ticks).toEqual([HOUR_MS, 2 * HOUR_MS])
  expect(clock.monotonic()).toBe(2.5 * HOUR_MS)
})

it('goes on by itself after a watched call has failed', async () => {
  const clock = new FakeClock({ autoAdvance: true })
  await expect(clock.watch(() => Promise.reject(new Error('down')))()).rejects.toThrow('down')
  await clock.sleep(1)
})
