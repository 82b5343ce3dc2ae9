import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWithOwnServers } from '../own-servers.js'
import { type BackendName, KILL_POINTS } from './plan.js'
import type { Result } from './result.js'

const LONG = 180_000

/** The short run as a whole, in processes of its own; answers what it wrote down. */
async function chaos(...backends: readonly BackendName[]): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-chaos-results-'))
  const program = join(__dirname, '../../scripts/chaos.mjs')
  const chosen = backends.flatMap((backend) => ['--backend', backend])
  try {
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, [program, '--built', '--short', '--results', folder, ...chosen], (_, out, err) => {
        resolve(out + err)
      })
    })
    return backends.map((backend) => {
      try {
        return JSON.parse(readFileSync(join(folder, `${backend}.json`), 'utf8')) as Result
      } catch {
        throw new Error(`The run on ${backend} ended without results:\n${output}`)
      }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describeWithOwnServers(['PostgreSQL'], 'four processes that are killed, cut off and misled', () => {
  let results: readonly Result[] = []

  beforeAll(async () => {
    results = await chaos('sqlite', 'postgres')
  }, LONG)

  it.each(['sqlite', 'postgres'])('lose no shop, no request and no write on %s', (backend) => {
    const result = results.find((each) => each.backend === backend)
    expect(result?.broken).toEqual([])
    expect(result).toMatchObject({ shopsOrphaned: 0, failedOnValidTokens: 0, wrongWrites: 0 })
    expect(result?.rotations).toBeGreaterThanOrEqual(150)
    expect(Object.keys(result?.kills ?? {})).toEqual(KILL_POINTS)
    expect(Math.min(...Object.values(result?.kills ?? {}))).toBeGreaterThanOrEqual(1)
    expect(Math.min(...(result?.pairs ?? []).map(({ rotations }) => rotations))).toBeGreaterThanOrEqual(8)
  })
})
