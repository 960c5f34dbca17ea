/** A set: different byte strings in no order. */
import { type Arguments, parseInt64 } from '../arguments.ts'
import type { EncodingLimits } from '../encoding-limits.ts'
import type { Collection, Kind } from '../value.ts'
import { Dictionary } from './dictionary.ts'
import { distinctPlaces, randomPlace } from './sample.ts'

/** What an empty one takes. */
const BASE_BYTES = 440

/** Members by name. As long as all are whole numbers and few, it is said to be an intset, and tells them in their order. */
export class SetValue implements Collection {
  readonly type = 'set'
  readonly #limits: EncodingLimits
  readonly #members = new Dictionary<true>()
  #isIntset = true

  constructor(limits: EncodingLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#members.size
  }

  get weight(): number {
    return BASE_BYTES + this.#members.weight
  }

  get elements(): Dictionary<true> {
    return this.#members
  }

  get encoding(): 'intset' | 'hashtable' {
    return this.#isIntset ? 'intset' : 'hashtable'
  }

  has(member: string): boolean {
    return this.#members.has(member)
  }

  /** As `has`, of a member that is a word of a command. */
  hasWord(args: Arguments, at: number): boolean {
    return this.#members.placeOfBytes(args.bytes, args.start(at), args.end(at)) !== -1
  }

  /** Adds a member. Returns whether it is new. */
  add(member: string): boolean {
    if (this.#members.has(member)) return false
    this.#add(member)
    return true
  }

  /** As `add`, of a member that is a word of a command. */
  addWord(args: Arguments, at: number): boolean {
    if (this.hasWord(args, at)) return false
    this.#add(args.text(at))
    return true
  }

  /** Removes a member. Returns whether it was there. */
  delete(member: string): boolean {
    return this.#members.delete(member)
  }

  /** All members: numbers in their order, others in the order in which they came. */
  members(): Iterable<string> {
    if (!this.#isIntset) return this.#members.names()
    return [...this.#members.names()].sort(byNumber)
  }

  /** Any member, each as likely as any other. There must be one. */
  randomMember(random: () => number): string {
    return this.#members.nameAt(randomPlace(this.size, random))
  }

  /** Up to `count` different members by chance. */
  randomMembers(count: number, random: () => number): string[] {
    return Array.from(distinctPlaces(this.size, count, random), (place) => this.#members.nameAt(place))
  }

  /** Members in steps: see `Dictionary.scan`. An intset comes in one, in its order. */
  scan(cursor: number, count: number, tell: (member: string) => void): number {
    if (!this.#isIntset) return this.#members.scan(cursor, count, tell)
    for (const member of this.members()) tell(member)
    return 0
  }

  /** The same members, in a set of its own. */
  clone(): SetValue {
    const twin = new SetValue(this.#limits)
    for (const member of this.#members.names()) twin.#members.add(member, true)
    twin.#isIntset = this.#isIntset
    return twin
  }

  #add(member: string): void {
    this.#members.add(member, true)
    if (this.#isIntset) this.#isIntset = this.size <= this.#limits.setMaxIntsetEntries && isWholeNumber(member)
  }
}

export const SET: Kind<SetValue> = { type: 'set', create: (limits) => new SetValue(limits) }

function isWholeNumber(text: string): boolean {
  const first = text.charCodeAt(0)
  const mayBe = (first >= 0x30 && first <= 0x39) || first === 0x2d
  return mayBe && text.length <= 20 && parseInt64(text) !== undefined
}

/** Rounding to doubles keeps the order; only equals need a closer look. */
function byNumber(one: string, other: string): number {
  const difference = Number(one) - Number(other)
  if (difference !== 0) return difference
  return BigInt(one) < BigInt(other) ? -1 : 1
}
