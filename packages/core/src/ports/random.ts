/** Numbers in [0, 1), for jitter. Injected, so that tests decide what chance does. */
export type Random = () => number

export const systemRandom: Random = () => Math.random()
