import type { Progress } from './run.js'

const PLAIN_EVERY_MS = 15_000
const BAR_EVERY_MS = 250
const BAR_WIDTH = 30

/** Shows how far a run is: a bar on a terminal, else a line now and then. */
export function printProgress(title: string, to: NodeJS.WriteStream): (progress: Progress) => void {
  const startedAt = Date.now()
  let printedAt = 0
  let wasDone = false
  return ({ rotations, kills, part }) => {
    const isDone = part >= 1
    const isNews = isDone && !wasDone
    wasDone = isDone
    if (!isNews && Date.now() - printedAt < (to.isTTY ? BAR_EVERY_MS : PLAIN_EVERY_MS)) return
    printedAt = Date.now()
    const seconds = Math.round((printedAt - startedAt) / 1_000)
    const text = `${title}: ${Math.floor(part * 100)} %, ${rotations} rotations, ${kills} kills, ${seconds} s`
    if (!to.isTTY) {
      to.write(`${text}\n`)
      return
    }
    const bar = '#'.repeat(Math.round(part * BAR_WIDTH)).padEnd(BAR_WIDTH, '.')
    to.write(`\r[${bar}] ${text}${isDone ? '\n' : ''}`)
  }
}
