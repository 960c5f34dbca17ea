import type { Changes } from './changes.ts'
import { shownKey } from './inner-key.ts'
import type { Lease } from './lease.ts'
import { freshMsOf, type Life } from './life.ts'
import type { Common } from './stack.ts'

/** A value to keep under a key. */
export interface Write {
  readonly key: string
  readonly value: unknown
  readonly life: Life
}

/** Puts values that the application has, rather than a loader, into the near tier. */
export class NearWrites {
  protected readonly options: Common & { readonly changes: Changes }

  constructor(options: Common & { changes: Changes }) {
    this.options = options
  }

  /** Keeps a value whatever is there. Loads of the key under way are not kept. */
  async set(write: Write): Promise<void> {
    const { near, changes, emitter } = this.options
    const { key, life } = write
    const lease = near.lease(key, life.tags)
    if (!this.keepNear(write, lease)) near.deleteKeys([key], 'invalidate')
    await this.keepShared(write, lease.fed)
    changes.publishDelete({ keys: [key] })
    emitter.emit('set', { key: shownKey(key) })
  }

  /** Brings a value to the tiers behind the near one; here there are none. What a feed covers is only voided in them. */
  protected keepShared(_write: Write, _fed: boolean): void | Promise<void> {}

  /** Keeps a value in the near tier if its lease allows, and ends the lease. Loads of the key under way are older. */
  protected keepNear({ key, value, life }: Write, lease: Lease): boolean {
    const { near, sealer, random, clock } = this.options
    const nowMs = clock.monotonic()
    try {
      const sealed = sealer.seal(value, shownKey(key))
      const freshMs = freshMsOf(value, life, random)
      const { mayStore } = lease
      if (mayStore) near.keep(key, sealed, lease, life, { nowMs, loadedAtMs: nowMs, freshMs })
      near.voidLoads(key)
      return mayStore
    } finally {
      lease.end(false)
    }
  }
}
