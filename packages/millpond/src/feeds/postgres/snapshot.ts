/**
 * What a snapshot sees: every transaction before `xmin`, none from `xmax` on, and in between those that are not in
 * `running`. Parsed from `pg_current_snapshot()::text`, `xmin:xmax:xid,xid,...`, whose numbers are 64 bits wide.
 */
export interface Snapshot {
  readonly xmin: bigint
  readonly xmax: bigint
  readonly running: ReadonlySet<bigint>
}

export function parseSnapshot(text: string): Snapshot {
  const match = /^(\d+):(\d+):([\d,]*)$/.exec(text)
  if (!match) throw new Error(`not a snapshot: ${text}`)
  const running = match[3] === '' ? [] : match[3]!.split(',')
  return { xmin: BigInt(match[1]!), xmax: BigInt(match[2]!), running: new Set(running.map(BigInt)) }
}

/** Whether the snapshot sees a top-level transaction that is known to have committed. */
export function sees(snapshot: Snapshot, xid: bigint): boolean {
  if (xid < snapshot.xmin) return true
  return xid < snapshot.xmax && !snapshot.running.has(xid)
}

/** Transactions that `ahead` sees and `behind` does not: announced in the log's order, and not visible to readers yet. */
export function seenOnlyBy(ahead: Snapshot, behind: Snapshot): bigint[] {
  const missing: bigint[] = []
  for (let xid = behind.xmin; xid < ahead.xmax; xid++) if (sees(ahead, xid) && !sees(behind, xid)) missing.push(xid)
  return missing
}

const HALF = 0x7fff_ffffn
const WRAP = 1n << 32n

/** The 64-bit number of a 32-bit xid of the replication stream: the one nearest to `near`. */
export function widenXid(xid: number, near: bigint): bigint {
  const wide = (near & ~(WRAP - 1n)) | BigInt(xid)
  if (wide > near + HALF) return wide - WRAP
  return wide < near - HALF ? wide + WRAP : wide
}
