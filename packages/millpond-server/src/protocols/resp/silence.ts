/** Answers that nobody wants: CLIENT REPLY OFF. */
import type { Reply } from '../../engine/reply.ts'

export const SILENCE: Reply = {
  ok() {},
  simple() {},
  error() {},
  integer() {},
  bulk() {},
  bytes() {},
  nil() {},
  nilArray() {},
  array() {},
  map() {},
  set() {},
  push() {},
  double() {},
  boolean() {},
  bigNumber() {},
  verbatim() {},
}
