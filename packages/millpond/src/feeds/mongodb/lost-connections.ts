/** What a client says of connections that it has lost, for who waits for an answer that may have been lost with one. */
import { type Clock, systemClock } from '../../core/clock.ts'
import type { MongoClient } from './client.ts'
import { PATIENCE_MS } from './patience.ts'

const CLIENTS = new WeakMap<MongoClient, LostConnections>()

/** One for each client, however many feeds and collections it has. */
export function lostConnections(client: MongoClient): LostConnections {
  const known = CLIENTS.get(client) ?? new LostConnections(client)
  CLIENTS.set(client, known)
  return known
}

export class LostConnections {
  private readonly listeners = new Set<() => void>()

  constructor(client: Pick<MongoClient, 'on'>) {
    const tell = (): void => {
      for (const listener of [...this.listeners]) listener()
    }
    client.on('connectionPoolCleared', tell)
    client.on('connectionClosed', ({ reason }) => reason === 'error' && tell())
  }

  /**
   * The first answer to a read that is put more than once where the answer may be lost: a moment after each connection that
   * breaks meanwhile, and, as not every loss is told, after `patienceMs`; then after twice as long each time, as the next one
   * may be lost too, and a server that is only slow is not to be drowned.
   */
  async firstAnswer<T>(put: () => Promise<T>, patienceMs: number, clock: Clock = systemClock): Promise<T> {
    const answers = [put()]
    let limitMs = patienceMs
    for (;;) {
      const answer = Promise.race(answers)
      const doubt = this.doubt(limitMs, clock)
      try {
        if (await Promise.race([answer.then(() => true), doubt.comes])) return await answer
      } finally {
        doubt.forget()
      }
      answers.push(put())
      limitMs *= 2
    }
  }

  /** Comes, with false, when an answer should be there. */
  private doubt(limitMs: number, clock: Clock): { readonly comes: Promise<false>; forget(): void } {
    let come!: (no: false) => void
    const comes = new Promise<false>((resolve) => {
      come = resolve
    })
    const inTime = clock.after(limitMs, () => come(false))
    let soon: ReturnType<Clock['after']> | undefined
    const lost = (): void => {
      soon ??= clock.after(PATIENCE_MS, () => come(false))
    }
    this.listeners.add(lost)
    const forget = (): void => {
      inTime.cancel()
      soon?.cancel()
      this.listeners.delete(lost)
    }
    return { comes, forget }
  }
}
