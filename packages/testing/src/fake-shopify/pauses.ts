/** Timers that end with the fake. */
export class Pauses {
  #closed: Error | undefined
  readonly #pending = new Map<ReturnType<typeof setTimeout>, (reason: Error) => void>()

  /** Resolves `ms` milliseconds later; rejects when the fake is closed before. */
  async pause(ms: number): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(timer)
        resolve()
      }, ms)
      this.#pending.set(timer, reject)
    })
  }

  close(reason: Error): void {
    this.#closed = reason
    for (const [timer, reject] of this.#pending) {
      clearTimeout(timer)
      reject(reason)
    }
    this.#pending.clear()
  }
}
