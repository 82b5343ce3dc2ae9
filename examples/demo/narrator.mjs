/** Tells the story, and keeps in mind whether it came out as told. */
export class Narrator {
  #chronicle
  #isSilent = false
  /** How much of what was told did not come out. */
  surprises = 0

  /** @param {import('./chronicle.mjs').Chronicle} chronicle */
  constructor(chronicle) {
    this.#chronicle = chronicle
  }

  /** Says no more: a chapter that was broken off may still be running. */
  fallSilent() {
    this.#isSilent = true
  }

  /** @param {string} title @param {string} why */
  chapter(title, why) {
    if (!this.#isSilent) this.#chronicle.tell({ kind: 'chapter', title, why })
  }

  /** @param {string} text @param {Partial<Omit<import('./chronicle.mjs').Note, 'kind' | 'text'>>} [details] */
  say(text, details = {}) {
    if (!this.#isSilent) this.#chronicle.tell({ kind: 'note', tone: 'plain', text, ...details })
  }

  /**
   * Waits until the shop's token is about to come into its renewal window, and says so when that takes a while.
   *
   * @param {import('./stage.mjs').Stage} stage
   * @param {import('@shopify-tokens/core').Shop} shop
   */
  async untilDue(stage, shop) {
    const { renewAt } = await stage.rows.pair(shop)
    const inSeconds = Math.round((renewAt - Date.now()) / 1000)
    if (inSeconds > 1) this.say(`its token is due in ${inSeconds} s; until then requests just go on`, { shop })
    await stage.untilDue(shop)
  }

  /**
   * Says `text`; when `came` is not true, also that it did not come out, which the demo's exit code then says too.
   *
   * @param {boolean} came
   * @param {string} text
   * @param {Partial<Omit<import('./chronicle.mjs').Note, 'kind' | 'text' | 'tone'>>} [details]
   */
  claim(came, text, details = {}) {
    if (came) return this.say(text, { ...details, tone: 'good' })
    if (!this.#isSilent) this.surprises += 1
    this.say(`NOT AS TOLD: ${text}`, { ...details, tone: 'wrong' })
  }
}
