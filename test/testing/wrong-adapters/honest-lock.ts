import { randomUUID } from 'node:crypto'
import type { Clock, Held, Lease, Lock } from '@shopify-tokens/core'
import { FakeClock, type LockBackend } from '@shopify-tokens/testing'

export interface Hold {
  readonly owner: string
  readonly until: number
}

/** A pretended server: who holds what, and the clock by which leases end. */
export class Server {
  readonly holds = new Map<string, Hold>()
  readonly clock = new FakeClock()
}

/** An adapter that keeps the contract, in steps that the wrong ones replace one at a time. */
export class HonestLock implements Lock {
  protected readonly server: Server
  protected readonly clock: Pick<Clock, 'now'>

  /** @param clock The clock of the process. */
  constructor(server: Server, clock: Pick<Clock, 'now'> = server.clock) {
    this.server = server
    this.clock = clock
  }

  async tryAcquire(resource: string, leaseMs: number): Promise<Lease | Held> {
    const present = this.server.holds.get(resource)
    if (present !== undefined && present.until > this.now()) return { heldForMs: present.until - this.now() }
    return this.take(resource, leaseMs)
  }

  protected take(resource: string, leaseMs: number): Lease {
    const hold = { owner: randomUUID(), until: this.now() + leaseMs }
    this.server.holds.set(resource, hold)
    return {
      remainingMs: async () => (this.isMine(resource, hold) ? Math.max(0, hold.until - this.now()) : 0),
      release: async () => {
        if (this.mayRelease(resource, hold)) this.server.holds.delete(resource)
      },
    }
  }

  protected isMine(resource: string, hold: Hold): boolean {
    return this.server.holds.get(resource)?.owner === hold.owner
  }

  protected mayRelease(resource: string, hold: Hold): boolean {
    return this.isMine(resource, hold)
  }

  protected now(): number {
    return this.server.clock.now()
  }
}

/** The contract's way into an adapter over a pretended server. */
export function lockBackendOf(Adapter: new (server: Server, clock?: Pick<Clock, 'now'>) => Lock): LockBackend {
  let server = new Server()
  return {
    name: Adapter.name,
    open() {
      server = new Server()
      return { lock: new Adapter(server), other: new Adapter(server) }
    },
    elapse: (ms) => server.clock.advance(ms),
    skewed: (offsetMs) => new Adapter(server, { now: () => server.clock.now() + offsetMs }),
  }
}
