/** Lets the first `n` who wait go in one turn of the event loop, when the last of them has come; later ones pass. */
export class Together {
  #missing: number
  readonly #waiting: (() => void)[] = []

  constructor(n: number) {
    this.#missing = n
  }

  async wait(): Promise<void> {
    this.#missing -= 1
    if (this.#missing > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else for (const go of this.#waiting.splice(0)) go()
  }
}
