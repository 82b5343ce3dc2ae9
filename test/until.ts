import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 15_000

/** Waits for something that comes from outside this process, and says so when it does not come. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`In vain: ${what}`)
    await delay(5)
  }
}
