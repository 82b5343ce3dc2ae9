import { seeded } from '../seeded.js'
import { DAY_MS, type Figures, SleepingFleet } from './sleeping-fleet.js'

const SHOPS = 1_000
const DAYS = 365
/** The last week before the one in which nobody sweeps has many lost answers: nobody asks again until it is over. */
const OFF = { from: 120, to: 127 }
const isOff = (day: number): boolean => day >= OFF.from && day < OFF.to

async function aYear(sweeps: (day: number) => boolean, name: string): Promise<Figures> {
  const random = seeded(5)
  const fleet = await SleepingFleet.start(SHOPS, () => Math.floor(random() * 20) * DAY_MS)
  for (const [n, shop] of fleet.shops.entries()) {
    // A renewal of a shop comes within twenty days of any.
    fleet.loseAnswersFrom(shop, n % 4 === 0 ? OFF.from - 7 : Math.floor(random() * (DAYS - 25)))
  }
  try {
    const figures = await fleet.sleep(DAYS, sweeps)
    process.stdout.write(`${name}: ${JSON.stringify(figures)}\n`)
    return figures
  } finally {
    await fleet.close()
  }
}

it('a fleet that sleeps for a year loses no shop, though each loses an answer and nobody sweeps for a week', async () => {
  const figures = await aYear((day) => !isOff(day), 'swept once a day, but for a week')

  expect(figures).toMatchObject({ shops: SHOPS, lostAnswers: SHOPS, lapsed: 0 })
  // One every twenty days, and a little more for the answers that were lost; one a day would be twenty times as many.
  expect(figures.rotations).toBeGreaterThan(SHOPS * 17)
  expect(figures.rotations).toBeLessThan(SHOPS * 22)
}, 240_000)

it('a fleet that nobody sweeps is lost whole', async () => {
  expect(await aYear(() => false, 'never swept')).toMatchObject({ rotations: 0, lapsed: SHOPS })
})
