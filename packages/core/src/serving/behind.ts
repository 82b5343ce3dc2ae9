/**
 * Lets `work` go on behind the request that set it off, in the host's own way where it has one (`waitUntil`). Whatever
 * the hook does, the request has its token.
 */
export function runBehind(background: ((work: Promise<void>) => unknown) | null, work: Promise<void>): void {
  if (background === null) return
  try {
    const result = background(work)
    if (result instanceof Promise) result.catch(warn)
  } catch (error) {
    warn(error)
  }
}

function warn(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`The option background threw (${kind}).`, 'ShopifyTokensWarning')
}
