import { shopName } from './shops.mjs'

const WIDEST = 112
/** Columns before the text of a note: time, app, shop. */
const INDENT = 35

/**
 * Tells the chronicle line by line. On a terminal in colour, unless NO_COLOR is set; anywhere else plain lines.
 *
 * @param {import('./chronicle.mjs').Chronicle} chronicle
 * @param {NodeJS.WriteStream} out
 */
export function tellOn(chronicle, out) {
  const paint = painter(out.isTTY && !process.env.NO_COLOR)
  const width = () => Math.min(out.columns ?? WIDEST, WIDEST)
  const say = (/** @type {string} */ text) => out.write(`${text}\n`)
  let chapters = 0
  chronicle.subscribe((entry) => {
    if (entry.kind === 'chapter') {
      chapters += 1
      say(`\n${paint('bold', `${String(chapters).padStart(2)}  ${entry.title}`)}`)
      for (const line of wrapped(entry.why, width() - 4)) say(paint('dim', `    ${line}`))
    } else if (entry.kind === 'note') {
      for (const line of noteLines(entry, width(), paint)) say(line)
    }
  })
}

/**
 * @param {import('./chronicle.mjs').Note & { at: number }} note
 * @param {number} width
 * @param {ReturnType<typeof painter>} paint
 */
function noteLines({ at, app = '', shop, text, tone, why }, width, paint) {
  const time = `+${(at / 1000).toFixed(1)} s`.padStart(8)
  const who = `${app.padEnd(8)} ${(shop === undefined ? '' : shopName(shop)).padEnd(14)}`
  const room = Math.max(30, width - INDENT)
  const [first = '', ...rest] = wrapped(text, room)
  const colour = TONES[tone]
  const margin = ' '.repeat(INDENT)
  return [
    `${paint('dim', time)}  ${who}  ${paint(colour, first)}`,
    ...rest.map((line) => margin + paint(colour, line)),
    ...(why === undefined ? [] : wrapped(why, room).map((line) => margin + paint('dim', line))),
  ]
}

const TONES = /** @type {const} */ ({ good: 'green', plain: 'none', trouble: 'yellow', wrong: 'red' })
const CODES = { none: [0, 0], bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] }

/** @param {boolean} inColour @returns {(style: keyof typeof CODES, text: string) => string} */
export function painter(inColour) {
  return (style, text) => {
    const [on, off] = CODES[style]
    return inColour && on !== 0 ? `\u001b[${on}m${text}\u001b[${off}m` : text
  }
}

/** @param {string} text @param {number} width */
function wrapped(text, width) {
  /** @type {string[]} */
  const lines = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
