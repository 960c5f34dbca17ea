/**
 * Where a command's answer goes, in the terms of RESP3. The Redis protocol writes it as bytes (RESP2 has fewer types,
 * so maps become arrays and so on); a script takes it as Lua values; HTTP as JSON.
 *
 * An answer is one value. An aggregate is announced with its length, and then its parts are given.
 * Texts are byte strings (engine/span.ts).
 */
export interface Reply {
  /** `+OK` */
  ok(): void
  /** A simple string: short, without line ends. */
  simple(text: string): void
  /** An error: code and message in one, 'ERR syntax error'. Line ends in it become spaces. */
  error(text: string): void
  /** An integer of 64 bits. */
  integer(value: number | bigint): void
  bulk(text: string): void
  /** A bulk string from bytes where they lie. They are copied before this returns. */
  bytes(bytes: Uint8Array, start: number, end: number): void
  /** No value: `$-1` in RESP2, `_` in RESP3. */
  nil(): void
  /** No list: `*-1` in RESP2, `_` in RESP3. */
  nilArray(): void
  array(length: number): void
  /** A map of so many pairs: a flat array of twice the length in RESP2. */
  map(pairs: number): void
  set(length: number): void
  /** A message that nobody asked for; an array in RESP2. */
  push(length: number): void
  /** A floating-point number; a bulk string in RESP2. `text`: how it is written, where that is not the usual way. */
  double(value: number, text?: string): void
  /** `#t`; 1 or 0 in RESP2. */
  boolean(value: boolean): void
  bigNumber(digits: string): void
  /** Text with a format of three characters ('txt', 'mkd'); a bulk string in RESP2. */
  verbatim(format: string, text: string): void
}
