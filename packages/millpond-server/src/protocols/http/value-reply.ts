/** An answer as plain values: what HTTP makes JSON of. */
import { type Gathered, GatheredReply, type GroupKind } from '../../engine/gathered-reply.ts'
import { formatDouble } from '../../engine/numbers.ts'

/** The answer `+OK`, which is told apart from a value that reads so. */
export const OK: unique symbol = Symbol('OK')

/** An answer that is an error: 'ERR syntax error'. */
export class Failure {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** Its first word. */
  get code(): string {
    return this.text.split(' ', 1)[0]!
  }

  /** What follows that. */
  get message(): string {
    return this.text.slice(this.code.length + 1)
  }
}

/** Keys and values in turn. */
export class Pairs {
  readonly parts: readonly Value[]

  constructor(parts: readonly Value[]) {
    this.parts = parts
  }
}

type More = number | bigint | typeof OK | Failure | Pairs

export type Value = Gathered<More>

/** Takes answers, one after the other. */
export class ValueReply extends GatheredReply<More> {
  ok(): void {
    this.add(OK)
  }
  error(text: string): void {
    this.add(new Failure(text))
  }
  integer(value: number | bigint): void {
    this.add(value)
  }
  double(value: number, text: string = formatDouble(value)): void {
    this.add(text)
  }

  protected override whole(kind: GroupKind, parts: readonly Value[]): Value {
    return kind === 'map' ? new Pairs(parts) : parts
  }
}
