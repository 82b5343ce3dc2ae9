const SECOND_MS = 1_000

/** The most instants within any second, wherever it begins. */
export function mostWithinASecond(instants: readonly number[]): number {
  const sorted = instants.toSorted((a, b) => a - b)
  let most = 0
  let first = 0
  for (const [last, at] of sorted.entries()) {
    while (at - sorted[first]! >= SECOND_MS) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}
