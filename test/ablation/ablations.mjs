import { AUTHORIZATION } from './mechanisms/authorization.mjs'
import { DELIVERIES } from './mechanisms/deliveries.mjs'
import { JOBS } from './mechanisms/jobs.mjs'
import { KEEP_ALIVE } from './mechanisms/keep-alive.mjs'
import { MIGRATIONS } from './mechanisms/migrations.mjs'
import { ONE_RUN } from './mechanisms/one-run.mjs'
import { QUEUES } from './mechanisms/queues.mjs'
import { ROLES } from './mechanisms/roles.mjs'
import { RUNS_THAT_MEET } from './mechanisms/runs-that-meet.mjs'
import { SECRET_ROTATION } from './mechanisms/secret-rotation.mjs'
import { SERVING } from './mechanisms/serving.mjs'
import { SWEEPS } from './mechanisms/sweeps.mjs'
import { TOKEN_KINDS } from './mechanisms/token-kinds.mjs'
import { VERDICTS } from './mechanisms/verdicts.mjs'

/** The mechanisms that keep pairs from being lost, each with the edit that takes it away and the test that falls then. */
export const ABLATIONS = [
  ...ONE_RUN,
  ...RUNS_THAT_MEET,
  ...VERDICTS,
  ...SERVING,
  ...DELIVERIES,
  ...AUTHORIZATION,
  ...SECRET_ROTATION,
  ...TOKEN_KINDS,
  ...MIGRATIONS,
  ...JOBS,
  ...SWEEPS,
  ...QUEUES,
  ...KEEP_ALIVE,
  ...ROLES,
]

/** The text without the mechanism, or an error when the edit does not fit any more. */
export function without({ mechanism, file, replace }, text) {
  return replace.reduce((changed, [from, to]) => {
    const [before, after, ...more] = changed.split(from)
    if (after !== undefined && more.length === 0) return before + to + after
    throw new Error(`${mechanism} has moved: ${file} does not hold exactly once: ${from}`)
  }, text)
}

/** The name of the test for people. */
export function nameOf({ group, title }) {
  return `${group} › ${title.replace(/%[ds]/g, '…')}`
}

/** What Jest's `--testNamePattern` must be for the test: `%d` and `%s` stand for what the test's table puts there. */
export function patternOf({ group, title }) {
  const name = `${group} ${title}`.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return `^${name.replace(/%[ds]/g, '.+')}$`
}
