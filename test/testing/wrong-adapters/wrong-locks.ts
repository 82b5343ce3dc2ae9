import type { Held, Lease } from '@shopify-tokens/core'
import { HonestLock } from './honest-lock.js'

/** `DEL resource`, whoever holds it by now. */
export class ReleasesForEverybody extends HonestLock {
  protected override mayRelease(): boolean {
    return true
  }
}

/** Writes and compares the instants of its own process. */
export class TrustsItsOwnClock extends HonestLock {
  protected override now(): number {
    return this.clock.now()
  }
}

/** `INSERT … ON DUPLICATE KEY UPDATE x = IF(…)` reports one row to every caller. */
export class GivesOutToEveryCaller extends HonestLock {
  override async tryAcquire(resource: string, leaseMs: number): Promise<Lease | Held> {
    const answer = await super.tryAcquire(resource, leaseMs)
    return 'heldForMs' in answer
      ? { remainingMs: () => Promise.resolve(leaseMs), release: () => Promise.resolve() }
      : answer
  }
}

/** Looks whether the resource is free, and takes it in a second step. */
export class LooksThenTakes extends HonestLock {
  override async tryAcquire(resource: string, leaseMs: number): Promise<Lease | Held> {
    const hold = this.server.holds.get(resource)
    await Promise.resolve()
    if (hold !== undefined && hold.until > this.now()) return { heldForMs: hold.until - this.now() }
    return this.take(resource, leaseMs)
  }
}

/** One lock for everything. */
export class IgnoresTheResource extends HonestLock {
  override tryAcquire(_resource: string, leaseMs: number): Promise<Lease | Held> {
    return super.tryAcquire('everything', leaseMs)
  }
}

/** A lock without an end. */
export class NeverEnds extends HonestLock {
  protected override take(resource: string): Lease {
    return super.take(resource, 3_600_000_000)
  }
}
