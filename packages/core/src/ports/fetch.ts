/** The part of the global `fetch` that the project uses. Injected, so that tests and proxies can stand in for it. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>

/** The global `fetch`, looked up at every call, so that instrumentation installed later is used too. */
export const systemFetch: Fetch = (input, init) => fetch(input, init)
