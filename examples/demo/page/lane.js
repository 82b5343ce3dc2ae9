/* global devicePixelRatio, getComputedStyle, document */

const LEFT_OF_NOW = 0.6
const ROW = 24
const ROWS_TOP = 12
const REQUESTS_TOP = ROWS_TOP + 2 * ROW + 6
const REQUESTS_HEIGHT = 32
const BUCKET_MS = 500
/** Requests in a bucket that fill the height. */
const FULL = 40

/**
 * @typedef {{ by: string | null, number: number, obtainedAt: number, renewAt: number, expiresAt: number, until: number, revoked: boolean }} DrawnPair
 * `until`: when it was replaced or revoked; `Infinity` while it is the shop's pair.
 * @typedef {{ express: number, nest: number, failed: number }} Bucket
 * @typedef {{ from: number, to: number }} Span
 */

/** What is known of a shop, and its drawing: tokens as bars along the time, requests below. */
export class Lane {
  /** @type {DrawnPair[]} */
  pairs = []
  /** @type {Map<number, Bucket>} */
  #buckets = new Map()
  #canvas
  #context

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  }

  /** @param {Omit<DrawnPair, 'number' | 'until' | 'revoked'>} pair */
  add(pair) {
    const last = this.pairs.at(-1)
    if (last?.obtainedAt === pair.obtainedAt) return
    if (last !== undefined && last.until === Infinity) last.until = pair.obtainedAt
    this.pairs.push({ ...pair, number: (last?.number ?? 0) + 1, until: Infinity, revoked: false })
    this.pairs.splice(0, this.pairs.length - 12)
  }

  /** @param {number} at */
  revoke(at) {
    const last = this.pairs.at(-1)
    if (last !== undefined) Object.assign(last, { until: at, revoked: true })
  }

  /** @param {{ at: number, app: string, ok: boolean }} request */
  count({ at, app, ok }) {
    const number = Math.floor(at / BUCKET_MS)
    const bucket = this.#buckets.get(number) ?? { express: 0, nest: 0, failed: 0 }
    bucket[!ok ? 'failed' : app === 'nest' ? 'nest' : 'express'] += 1
    this.#buckets.set(number, bucket)
    const oldest = this.#buckets.keys().next().value ?? 0
    if (number - oldest > 240) this.#buckets.delete(oldest)
  }

  /** @param {number} now @param {readonly Span[]} outages */
  draw(now, outages) {
    const { width, height } = this.#sized()
    const pxPerMs = Math.min(22, Math.max(11, width / 46)) / 1000
    const x = (/** @type {number} */ at) => width * LEFT_OF_NOW + (at - now) * pxPerMs
    const context = this.#context
    const colours = palette()
    context.clearRect(0, 0, width, height)
    for (const { from, to } of outages) {
      context.fillStyle = colours.troubleSoft
      context.fillRect(x(from), 0, x(Math.min(to, now)) - x(from), height - 18)
    }
    this.#axis(now, x, width, height, colours)
    for (const pair of this.pairs) this.#pair(pair, now, x, width, colours)
    this.#requests(x, pxPerMs, colours)
    context.fillStyle = colours.ink
    context.fillRect(Math.round(x(now)) - 1, 0, 2, height - 18)
  }

  #sized() {
    const { clientWidth: width, clientHeight: height } = this.#canvas
    const scale = devicePixelRatio
    if (this.#canvas.width !== Math.round(width * scale)) {
      this.#canvas.width = Math.round(width * scale)
      this.#canvas.height = Math.round(height * scale)
    }
    this.#context.setTransform(scale, 0, 0, scale, 0, 0)
    return { width, height }
  }

  /**
   * @param {number} now
   * @param {(at: number) => number} x
   * @param {number} width
   * @param {number} height
   * @param {Palette} colours
   */
  #axis(now, x, width, height, colours) {
    const context = this.#context
    context.font = '11px system-ui, sans-serif'
    context.textAlign = 'center'
    for (let seconds = -60; seconds <= 60; seconds += 10) {
      const at = x(now + seconds * 1000)
      if (at < 24 || at > width - 24) continue
      context.fillStyle = colours.line
      if (seconds !== 0) context.fillRect(Math.round(at), 0, 1, height - 18)
      context.fillStyle = seconds === 0 ? colours.ink : colours.soft
      context.fillText(seconds === 0 ? 'now' : `${seconds > 0 ? '+' : '−'}${Math.abs(seconds)} s`, at, height - 5)
    }
  }

  /**
   * @param {DrawnPair} pair
   * @param {number} now
   * @param {(at: number) => number} x
   * @param {number} width
   * @param {Palette} colours
   */
  #pair({ by, number, obtainedAt, renewAt, expiresAt, until, revoked }, now, x, width, colours) {
    if (x(expiresAt) < -20) return
    const context = this.#context
    const top = ROWS_TOP + (number % 2) * ROW
    const height = ROW - 5
    const end = Math.min(until, expiresAt)

    context.save()
    context.beginPath()
    context.roundRect(x(obtainedAt), top, x(end) - x(obtainedAt), height, 5)
    context.clip()
    context.fillStyle = colours.fresh
    context.fillRect(x(obtainedAt), top, x(end) - x(obtainedAt), height)
    if (end > renewAt) this.#hatched(x(renewAt), top, x(end) - x(renewAt), height, colours)
    context.globalAlpha = 0.62
    context.fillStyle = colours.card
    if (end > now) context.fillRect(x(now), top, x(end) - x(now), height)
    context.restore()

    if (until < expiresAt) {
      context.setLineDash([4, 3])
      context.strokeStyle = revoked ? colours.trouble : colours.retired
      context.lineWidth = 1.25
      context.beginPath()
      context.roundRect(x(end) + 1, top + 0.5, x(expiresAt) - x(end) - 1, height - 1, 5)
      context.stroke()
      context.setLineDash([])
    }
    const from = Math.max(x(obtainedAt), 0) + 8
    const text = `${number}${by === null ? '' : by === 'nest' ? ' · by Nest' : ' · by Express'}`
    context.font = '600 11px system-ui, sans-serif'
    context.textAlign = 'left'
    if (context.measureText(text).width + 8 < Math.min(x(Math.min(end, Math.min(now, renewAt))), width) - from) {
      context.fillStyle = colours.card
      context.fillText(text, from, top + height / 2 + 4)
    }
    if (revoked && x(expiresAt) - x(end) > 70) {
      context.fillStyle = colours.trouble
      context.fillText('revoked', x(end) + 8, top + height / 2 + 4)
    }
  }

  /**
   * @param {number} left
   * @param {number} top
   * @param {number} width
   * @param {number} height
   * @param {Palette} colours
   */
  #hatched(left, top, width, height, colours) {
    const context = this.#context
    context.save()
    context.fillStyle = colours.dueSoft
    context.fillRect(left, top, width, height)
    context.strokeStyle = colours.due
    context.lineWidth = 3
    context.beginPath()
    context.rect(left, top, width, height)
    context.clip()
    context.beginPath()
    for (let at = left - height; at < left + width; at += 8) {
      context.moveTo(at, top + height)
      context.lineTo(at + height, top)
    }
    context.stroke()
    context.restore()
  }

  /** @param {(at: number) => number} x @param {number} pxPerMs @param {Palette} colours */
  #requests(x, pxPerMs, colours) {
    const context = this.#context
    const width = Math.max(2, BUCKET_MS * pxPerMs - 2)
    for (const [number, bucket] of this.#buckets) {
      let bottom = REQUESTS_TOP + REQUESTS_HEIGHT
      const all = bucket.express + bucket.nest + bucket.failed
      const scale = (REQUESTS_HEIGHT * Math.min(1, Math.sqrt(all / FULL))) / all
      for (const part of /** @type {const} */ (['express', 'nest', 'failed'])) {
        const height = bucket[part] * scale
        context.fillStyle = part === 'failed' ? colours.trouble : colours[part]
        context.fillRect(x(number * BUCKET_MS), bottom - height, width, height)
        bottom -= height
      }
    }
  }
}

/** @typedef {ReturnType<typeof palette>} Palette */

/** The page's colours, as its style sheet has them at this moment. */
function palette() {
  const style = getComputedStyle(document.documentElement)
  const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`)
  return {
    card: colour('card'),
    line: colour('line'),
    ink: colour('ink'),
    soft: colour('soft'),
    fresh: colour('fresh'),
    due: colour('due'),
    dueSoft: colour('due-soft'),
    retired: colour('retired'),
    express: colour('express'),
    nest: colour('nest'),
    trouble: colour('trouble'),
    troubleSoft: colour('trouble-soft'),
  }
}
