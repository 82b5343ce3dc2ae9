/* global document, EventSource, matchMedia, requestAnimationFrame */
import { Lane } from './lane.js'

/**
 * @typedef {import('../chronicle.mjs').Entry} Entry
 * @typedef {{ now: number, shops: { shop: string, name: string }[], entries: Entry[] }} History
 */

/** @type {Map<string, { lane: Lane, name: string, pill: HTMLElement, life: HTMLElement, canvas: HTMLCanvasElement }>} */
const shops = new Map()
/** @type {Map<string, { url: string, up: boolean }>} */
const apps = new Map()
/** @type {import('./lane.js').Span[]} */
let outages = []
/** Chronicle's time at this page's zero. */
let offset = 0
let ended = false
let frozenAt = 0

const now = () => (ended ? frozenAt : performance.now() + offset)

/** @param {string} id */
const the = (id) => /** @type {HTMLElement} */ (document.getElementById(id))

const events = new EventSource('events')
events.addEventListener('history', (message) => begin(JSON.parse(message.data)))
events.addEventListener('happened', (message) => happened(JSON.parse(message.data), true))
events.addEventListener('error', () => {
  if (!ended) connection('lost', 'connection lost')
})

/** @param {History} history */
function begin({ now: present, shops: all, entries }) {
  offset = present - performance.now()
  ended = false
  outages = []
  the('notes').replaceChildren()
  the('lanes').replaceChildren(...all.map(addShop))
  connection('live', 'live')
  for (const entry of entries) happened(entry, false)
}

/** @param {{ shop: string, name: string }} of */
function addShop({ shop, name }) {
  const template = /** @type {HTMLTemplateElement} */ (the('lane'))
  const article = /** @type {HTMLElement} */ (template.content.cloneNode(true)).querySelector('article')
  const find = (/** @type {string} */ selector) => /** @type {any} */ (article?.querySelector(selector))
  find('h3').textContent = name
  const canvas = find('canvas')
  shops.set(shop, { lane: new Lane(canvas), name, pill: find('.pill'), life: find('.life'), canvas })
  return /** @type {HTMLElement} */ (article)
}

/** @param {Entry} entry @param {boolean} isNew */
function happened(entry, isNew) {
  switch (entry.kind) {
    case 'chapter':
      the('chapter').textContent = entry.title
      the('chapter-why').textContent = entry.why
      break
    case 'note':
      the('notes').prepend(noteOf(entry, isNew))
      the('notes').children[60]?.remove()
      break
    case 'request':
      shops.get(entry.shop)?.lane.count(entry)
      break
    case 'pair':
      shops.get(entry.shop)?.lane.add(entry)
      break
    case 'revoked':
      shops.get(entry.shop)?.lane.revoke(entry.at)
      break
    case 'outage':
      if (entry.began) outages.push({ from: entry.at, to: Infinity })
      else outages = outages.map(({ from, to }) => ({ from, to: Math.min(to, entry.at) }))
      break
    case 'totals':
      for (const [id, value] of Object.entries({ ...entry, 'token-calls': entry.tokenCalls })) {
        const shown = document.getElementById(id)
        if (shown !== null) shown.textContent = value.toLocaleString('en')
      }
      the('failed').classList.toggle('bad', entry.failed > 0)
      break
    case 'app':
      apps.set(entry.app, entry)
      tellApps()
      break
    case 'end':
      frozenAt = entry.at
      ended = true
      events.close()
      connection('ended', 'the demo has ended')
  }
}

/** @param {import('../chronicle.mjs').Note & { at: number }} note @param {boolean} isNew */
function noteOf({ at, app, shop, text, why, tone }, isNew) {
  const item = document.createElement('li')
  item.dataset.tone = tone
  item.classList.toggle('new', isNew)
  const body = document.createElement('div')
  const who = part('p', 'who', '')
  if (app !== undefined) {
    const name = part('b', '', app === 'nest' ? 'Nest' : 'Express')
    name.dataset.app = app
    who.append(name, shop === undefined ? '' : ' · ')
  }
  if (shop !== undefined) who.append(shops.get(shop)?.name ?? '')
  if (app !== undefined || shop !== undefined) body.append(who)
  body.append(part('p', 'what', text))
  if (why !== undefined) body.append(part('p', 'why', why))
  item.append(part('time', '', `+${(at / 1000).toFixed(1)} s`), body)
  return item
}

/** @param {string} tag @param {string} name @param {string} text */
function part(tag, name, text) {
  const element = document.createElement(tag)
  if (name !== '') element.className = name
  element.textContent = text
  return element
}

/** @param {string} state @param {string} text */
function connection(state, text) {
  the('connection').dataset.state = state
  the('connection').textContent = text
}

function tellApps() {
  const texts = [...apps].map(
    ([app, { url, up }]) => `${app === 'nest' ? 'Nest' : 'Express'} ${up ? `on ${url}` : 'is down'}`,
  )
  the('apps').textContent = `${texts.join(', ')}.`
}

/** Writes next to a shop's name what its drawing shows. @param {number} at */
function tellLives(at) {
  for (const { lane, name, pill, life, canvas } of shops.values()) {
    const { state, text, rest } = lifeOf(lane, at)
    if (pill.textContent !== text) {
      pill.dataset.state = state
      pill.textContent = text
      canvas.setAttribute('aria-label', `${name}: access tokens and requests over time; now ${text}`)
    }
    if (life.textContent !== rest) life.textContent = rest
  }
}

/** @param {Lane} lane @param {number} at */
function lifeOf(lane, at) {
  const pair = lane.pairs.at(-1)
  const seconds = (/** @type {number} */ until) => `${Math.ceil((until - at) / 1000)} s`
  if (pair === undefined) return { state: 'none', text: 'no token yet', rest: 'waits for its merchant' }
  if (pair.revoked) return { state: 'dead', text: 'revoked', rest: 'the next request repairs it' }
  if (at >= pair.expiresAt) return { state: 'dead', text: 'expired', rest: 'the next request renews it' }
  if (at >= pair.renewAt)
    return { state: 'due', text: 'due', rest: `served and renewed behind, ends in ${seconds(pair.expiresAt)}` }
  return { state: 'fresh', text: 'fresh', rest: `due in ${seconds(pair.renewAt)}, ends in ${seconds(pair.expiresAt)}` }
}

const still = matchMedia('(prefers-reduced-motion: reduce)')
const EVERY_MS = { moving: 0, still: 1000 }
let drawnAt = -Infinity

/** @param {number} time */
function frame(time) {
  requestAnimationFrame(frame)
  if (time - drawnAt < (still.matches ? EVERY_MS.still : EVERY_MS.moving)) return
  drawnAt = time
  const at = now()
  for (const { lane } of shops.values()) lane.draw(at, outages)
  tellLives(at)
}

requestAnimationFrame(frame)
