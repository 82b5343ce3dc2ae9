import { invalidOption, refuseUnknownOptions } from '../option-checks.js'
import { type Checkpoint, checkProgress } from './checkpoint.js'

/** A part of a job that is done at one go: a page of products, a thousand lines of a file. */
export interface Chunk<Page, Position> {
  readonly page: Page
  /** Where the next chunk begins, in the job's own terms: a cursor, an id, a number of lines. Only the last needs none. */
  readonly position?: Position | null | undefined
  /** Whether nothing comes behind it. Default false: the chunk after it is asked for, which may be `undefined`. */
  readonly last?: boolean | undefined
}

/**
 * Gets the chunk behind a position; `null`: the first. `undefined`: there is none. The same position must give the same
 * chunk, or one without what was done meanwhile: after a crash it is asked for once more.
 */
export type NextChunk<Page, Position> = (
  after: Position | null,
  signal: AbortSignal | undefined,
) => Promise<Chunk<Page, Position> | undefined>

/** What {@link resumable} takes. Unknown keys are refused. */
export interface ResumableOptions<Page, Position> {
  readonly checkpoint: Checkpoint<Position>
  readonly next: NextChunk<Page, Position>
  /** Ends the job between two chunks with `signal.reason`, the checkpoint of the one that is done saved. `next` gets it too. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The chunks of a job, one after the other, from its checkpoint on. For work that outlives tokens, processes and
 * installations: whatever ended it, the same call goes on behind the last chunk that was done.
 *
 * ```ts
 * for await (const products of resumable({ checkpoint, next: pagesOf(client, QUERY, { connection }) })) {
 *   await save(products.nodes)
 * }
 * ```
 *
 * A chunk is done when the loop comes back for the next one, and then its checkpoint is saved. When the loop's body
 * throws, or leaves by `break` or `return`, or the process dies, the chunk is not done, and comes again: **at most one chunk is
 * repeated**, so its work must bear that (write by id, not by adding up). To leave without repeating, abort `signal`.
 *
 * At the end the job is saved as finished, and the same call then gives no chunk, until whoever keeps the checkpoint
 * forgets it. What `load`, `next` and `save` reject with ends the job, with the checkpoint as it was: among it
 * `ERR_REAUTHORIZATION_REQUIRED`, after which the job is to be called again when `reauthorization.cleared` comes. To be read by
 * one loop only, which takes a chunk when it is done with the one before.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`; so does the iteration, when `load` gives what was never saved, or a chunk
 * has no position and is not the last
 */
export function resumable<Page, Position>(
  options: ResumableOptions<Page, Position>,
): AsyncGenerator<Page, void, undefined> {
  refuseUnknownOptions(options, ['checkpoint', 'next', 'signal'])
  const { checkpoint, next, signal } = options
  const given = checkpoint as Partial<Checkpoint<Position>> | undefined
  if (typeof given?.load !== 'function' || typeof given.save !== 'function') {
    throw invalidOption('checkpoint', 'an object with load() and save()', checkpoint)
  }
  if (typeof next !== 'function') throw invalidOption('next', 'a function', next)
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidOption('signal', 'an AbortSignal', signal)
  return chunksOf(checkpoint, next, signal)
}

async function* chunksOf<Page, Position>(
  checkpoint: Checkpoint<Position>,
  next: NextChunk<Page, Position>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Page, void, undefined> {
  let { position, finished } = checkProgress(await checkpoint.load())
  while (!finished) {
    signal?.throwIfAborted()
    const chunk = await next(position, signal)
    const reached = chunk === undefined ? null : positionOf(chunk)
    // A loop that leaves here never comes back: what follows is for chunks that are done.
    if (chunk !== undefined) yield chunk.page
    position = reached ?? position
    finished = chunk === undefined || chunk.last === true
    await checkpoint.save({ position, finished })
  }
}

function positionOf<Position>(chunk: Chunk<unknown, Position>): Position | null {
  const { position = null, last } = chunk
  if (position !== null || last === true) return position
  throw invalidOption('next', 'a function whose chunks have a position, or say that they are the last', position)
}
