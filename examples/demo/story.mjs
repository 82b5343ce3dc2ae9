import { ahead } from './chapters/ahead.mjs'
import { expired } from './chapters/expired.mjs'
import { firstVisit } from './chapters/first-visit.mjs'
import { lostAnswer } from './chapters/lost-answer.mjs'
import { outage } from './chapters/outage.mjs'
import { refused } from './chapters/refused.mjs'
import { restart } from './chapters/restart.mjs'
import { SHOPS } from './shops.mjs'

/**
 * @typedef {import('./stage.mjs').Stage} Stage
 * @typedef {import('./narrator.mjs').Narrator} Narrator
 * @typedef {import('@shopify-tokens/core').Shop} Shop
 * @typedef {(stage: Stage, narrator: Narrator, shop: Shop) => Promise<void>} Chapter
 */

/**
 * The story in the order in which it is told. Chapters that wait for a token to become due stand where it does.
 *
 * @type {readonly (readonly [Chapter, Shop])[]}
 */
export const STORY = [
  [expired, SHOPS.coffee],
  [firstVisit, SHOPS.lantern],
  [ahead, SHOPS.moss],
  [refused, SHOPS.coffee],
  [restart, SHOPS.moss],
  [lostAnswer, SHOPS.lantern],
  [outage, SHOPS.moss],
]

/** What happens again and again while the demo is left running. @type {readonly (readonly [Chapter, Shop])[]} */
export const ENCORES = [
  [refused, SHOPS.lantern],
  [lostAnswer, SHOPS.coffee],
  [outage, SHOPS.moss],
  [ahead, SHOPS.lantern],
  [restart, SHOPS.coffee],
]
