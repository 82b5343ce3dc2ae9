import { invalidOption } from '../option-checks.js'

/** How far a job has come. JSON, if its positions are. */
export interface JobProgress<Position> {
  /** Behind the last chunk that is done; `null`: none is. */
  readonly position: Position | null
  /** Whether the job has come to its end: running it again does nothing, until its progress is forgotten. */
  readonly finished: boolean
}

/**
 * Where one job's progress is kept: a row, a file, a key. The job's owner names it, such as `products 2026-11-20`, and
 * forgets it when the job is to run from its beginning again. For one worker at a time.
 */
export interface Checkpoint<Position> {
  /** What was saved last; `null` or `undefined`: nothing, and the job begins. */
  load(): Promise<JobProgress<Position> | null | undefined>
  /** Replaces what was saved. When it rejects, the job ends with that, and goes on at the earlier checkpoint next time. */
  save(progress: JobProgress<Position>): Promise<void>
}

/** @throws InvalidOptionError for what `save` was never given: a job that began anew because of it would do all again */
export function checkProgress<Position>(loaded: JobProgress<Position> | null | undefined): JobProgress<Position> {
  if (loaded === null || loaded === undefined) return { position: null, finished: false }
  const { position, finished } = loaded as Partial<JobProgress<Position>>
  if (position !== undefined && typeof finished === 'boolean') return { position, finished }
  throw invalidOption('checkpoint', 'one whose load() gives what save() was given: { position, finished }', loaded)
}
