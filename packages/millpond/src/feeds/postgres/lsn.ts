/** A log sequence number: a place in PostgreSQL's write-ahead log, as a bigint. Written `16/B374D848`. */
export type Lsn = bigint

/** The number of an LSN's text; `undefined` when it is none. */
export function parseLsn(text: string): Lsn | undefined {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  return match ? (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`) : undefined
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
}

const PAGE_BYTES = 8192n
const PAGE_HEADER_BYTES = 24n
const SEGMENT_HEADER_BYTES = 40n

/**
 * The end of the last record before an insert position. On a page boundary `pg_current_wal_insert_lsn()` names the
 * place behind the next page's header, which no record reaches until somebody writes: waiting for it would not end.
 */
export function beforePageHeader(insert: Lsn, segmentBytes: bigint): Lsn {
  if (insert % segmentBytes === SEGMENT_HEADER_BYTES) return insert - SEGMENT_HEADER_BYTES
  return insert % PAGE_BYTES === PAGE_HEADER_BYTES ? insert - PAGE_HEADER_BYTES : insert
}
