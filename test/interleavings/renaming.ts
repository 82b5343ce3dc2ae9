/** For each process the number that it is to have. */
export interface Renaming {
  readonly numbers: readonly number[]
  readonly id: string
}

/** Everything that a process names itself carries this mark, so that its name can be exchanged. */
export function named(process: number, what: string): string {
  return `p${String(process)}:${what}`
}

/** Whether `name` was given by `process`. */
export function isNamedBy(process: number, name: string): boolean {
  return name.startsWith(`p${String(process)}:`)
}

/** `text` with all names in it given to the processes that the renaming says. */
export function renamed(text: string, { numbers }: Renaming): string {
  return text.replace(/\bp(\d):/g, (_mark, process: string) => `p${String(numbers[Number(process)] ?? process)}:`)
}

/** Changes nothing. */
export const SAME: Renaming = { numbers: [], id: '' }

/** Every exchange of processes that want the same; the first changes nothing. */
export function renamingsOf(wants: readonly string[]): readonly Renaming[] {
  return permutations(wants.length)
    .filter((numbers) => numbers.every((number, process) => wants[number] === wants[process]))
    .map((numbers) => ({ numbers, id: numbers.join('') }))
}

function permutations(count: number): readonly number[][] {
  if (count === 0) return [[]]
  const last = count - 1
  return permutations(last).flatMap((shorter) =>
    [...shorter, last].map((_, back) => shorter.toSpliced(shorter.length - back, 0, last)),
  )
}
