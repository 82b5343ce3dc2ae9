import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from './backends/backend.js'
import { openBackend } from './backends/open-backend.js'
import { Faults } from './faults.js'
import { History } from './history.js'
import type { Entry } from './journal.js'
import { Lives } from './lives.js'
import { durationsOf, KILL_POINTS, type Plan } from './plan.js'
import type { Result } from './result.js'
import { Rows } from './rows.js'
import { Schedule } from './schedule.js'
import { Seeded } from './seeded.js'
import { CLIENT_ID, CLIENT_SECRET, Shopifys } from './shopifys.js'
import { shopNames, SWITCHES } from './switches.js'
import { summary } from './summary.js'
import { Workers } from './workers.js'

/** How often the driver looks at what has happened. */
const LOOK_MS = 50

/** How far a run is. */
export interface Progress {
  readonly rotations: number
  readonly kills: number
  readonly part: number
}

/** Runs the plan on servers of its own, from the first installation to the count of what is left. */
export async function run(plan: Plan, onProgress: (progress: Progress) => void): Promise<Result> {
  const startedAt = Date.now()
  const faults = new Faults(plan, new Seeded(plan.seed, plan.backend, 'faults'))
  const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-chaos-'))
  let backend: Backend | undefined
  let shopifys: Shopifys | undefined
  let workers: Workers | undefined
  let rows: Rows | undefined
  try {
    backend = await openBackend(plan.backend, plan.outageMs)
    let arriving: Lives['arriving'] = () => undefined
    shopifys = await Shopifys.start(plan, (request) => {
      arriving(request)
      return faults.choose(request)
    })
    const environment = environmentOf(backend)
    rows = new Rows(environment)
    const { lifetimeMs, leaseMs, latestMs, outageMs, shopsPerPair, requestsPerSecond } = plan
    const common = {
      ...{ shopifys: shopifys.all.map(({ url }) => url), environment, redisUrl: backend.redisUrl },
      ...{ timing: { lifetimeMs, leaseMs, latestMs, outageMs }, shopsPerPair, requestsPerSecond },
    }
    const name = `${plan.seed} ${plan.backend}`
    workers = new Workers(folder, common, plan.workers, name, new Seeded(name, 'workers'))
    const history: History = new History({
      failed: (request) => {
        lives.failed(request)
      },
      paused: (shop, worker) => {
        lives.paused(shop, worker)
      },
    })
    const crew = workers
    // Whoever hears of an entry may ask for the news himself: the order stays.
    const news: (readonly [Entry, number])[] = []
    const takeNews = (): void => {
      news.push(...crew.entries())
      for (let next = news.shift(); next !== undefined; next = news.shift()) history.take(...next)
    }
    const shops = shopNames(shopsPerPair)
    const lives = new Lives({
      ...{ shops, plan, shopifys, workers, history, rows, takeNews },
      chance: new Seeded(name, 'merchants'),
    })
    arriving = (request) => {
      lives.arriving(request)
    }

    await workers.start()
    await lives.installAll()
    const schedule = new Schedule(plan, backend.outages, crew, lives, new Seeded(name, 'schedule'))
    let isGivenUp = false
    for (;;) {
      takeNews()
      const rotations = rotationsPerPair(history)
      const total = rotations.reduce((sum, n) => sum + n, 0)
      const kills = [...history.kills.values()].reduce((sum, n) => sum + n, 0)
      const least = Math.min(...rotations)
      const part = Math.min(total / plan.rotations, least / plan.rotationsPerPair)
      schedule.at(part, total)
      onProgress({ rotations: total, kills, part: Math.min(1, part) })
      const isComplete = kills >= plan.killsPerPoint * KILL_POINTS.length && history.pauses >= plan.pauses
      if (part >= 1 && isComplete && schedule.isDone) break
      isGivenUp = Date.now() - startedAt > plan.longestMs
      if (isGivenUp || crew.crashes.length > 0) break
      await sleep(LOOK_MS)
    }

    // Faults off; what is on its way arrives, and what is held or pausing ends.
    faults.end()
    await schedule.settled()
    await lives.settled()
    await sleep(Math.max(plan.latestMs, plan.leaseMs) + durationsOf(plan).outageCoolDownMs)
    await workers.replaceByOne()
    takeNews()
    await lives.settled()
    const shopsChecked = await lives.takeStock()
    await workers.leave()
    takeNews()
    return summary({
      ...{ plan, history, lives, shopifys, faults, shopsChecked, isGivenUp, outages: schedule.outages },
      ...{ versions: backend.versions, audit: await backend.audit(), crashes: workers.crashes },
      seconds: (Date.now() - startedAt) / 1_000,
    })
  } finally {
    workers?.abandon()
    await rows?.close()
    await shopifys?.close()
    await backend?.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function environmentOf({ databaseUrl }: Backend): Readonly<Record<string, string>> {
  return {
    SHOPIFY_API_KEY: CLIENT_ID,
    SHOPIFY_API_SECRET: CLIENT_SECRET,
    SHOPIFY_TOKENS_DATABASE_URL: databaseUrl,
    SHOPIFY_TOKENS_SEALING_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  }
}

/** How often shops were renewed, in the order of {@link SWITCHES}. */
export function rotationsPerPair({ rotations }: History): readonly number[] {
  const sums = SWITCHES.map(() => 0)
  for (const [shop, n] of rotations) {
    const pair = Number(/^p(\d)-/.exec(shop)?.[1])
    sums[pair] = (sums[pair] ?? 0) + n
  }
  return sums
}
