import type { Connection } from './connection.ts'
import { bySlot } from './slot.ts'

/**
 * Reads texts by MGET: from the replicas in turn where there are some, else from the primary; in a cluster by one
 * command a slot, which its client sends to the servers concerned.
 */
export class ReadConnection {
  readonly #primary: Connection
  readonly #replicas: readonly Connection[]
  #turn = 0

  constructor(primary: Connection, replicas: readonly Connection[]) {
    this.#primary = primary
    this.#replicas = replicas
  }

  /** What stands under each name, in their order; null for none. */
  mget(names: string[]): Promise<unknown[]> {
    const replica = this.#replicas.length === 0 ? undefined : this.#nextReplica()
    if (replica === undefined) return mgetFrom(this.#primary, names)
    return mgetFrom(replica, names).catch(() => mgetFrom(this.#primary, names))
  }

  /** The next in turn of those that are connected. */
  #nextReplica(): Connection | undefined {
    const ready = this.#replicas.filter((replica) => replica.isReady)
    return ready[this.#turn++ % ready.length]
  }

  /** Ends the replicas' connections; the primary's is not its own. */
  async close(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.close()))
  }
}

function mgetFrom(connection: Connection, names: string[]): Promise<unknown[]> {
  if (connection.isCluster) return mgetBySlot(connection, names)
  return connection.sendRead(['mget', ...names]) as Promise<unknown[]>
}

async function mgetBySlot(connection: Connection, names: readonly string[]): Promise<unknown[]> {
  const texts: unknown[] = []
  await Promise.all(
    bySlot(names).map(async (places) => {
      const group = places.map((at) => names[at]!)
      const found = (await connection.sendRead(['mget', ...group], group[0])) as unknown[]
      for (const [index, at] of places.entries()) texts[at] = found[index]
    }),
  )
  return texts
}
