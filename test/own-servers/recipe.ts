import type { SpawnOptions } from 'node:child_process'

/** Where a server of one kind keeps its data and listens. */
export interface Place {
  readonly folder: string
  readonly port: number
  /** The user to run as. */
  readonly as: Pick<SpawnOptions, 'uid' | 'gid'>
}

/** How a server of one kind is set up, run, asked whether it answers, and ended. */
export interface Recipe {
  /** The user who has to own the folder if this process is root; `undefined`: this process's. */
  readonly owner?: string
  /** The command that fills the folder, if there is one. */
  setUp?(place: Place): readonly [program: string, ...args: string[]]
  run(place: Place): readonly [program: string, ...args: string[]]
  url(place: Place): string
  /** Resolves if the server answers. */
  ask(url: string): Promise<void>
  /** The signals that end it in order, and as a crash would. */
  readonly signals: { readonly fast: NodeJS.Signals; readonly immediate: NodeJS.Signals }
}
