/** A sorted set: members with scores, in the order of scores, and of the members' bytes where scores are equal. */
import type { Arguments } from '../arguments.ts'
import type { EncodingLimits } from '../encoding-limits.ts'
import type { Collection, Kind } from '../value.ts'
import { Dictionary } from './dictionary.ts'
import { distinctPlaces, randomPlace } from './sample.ts'
import { SortedSetTree, type Visit } from './sorted-set-tree.ts'

/** What an empty one takes. */
const BASE_BYTES = 780
/** What an entry takes beside its member: a number in the dictionary, a place in the tree. */
const ENTRY_BYTES = 40

/** Scores by member, and the tree that has them in order. */
export class SortedSet implements Collection {
  readonly type = 'zset'
  readonly #limits: EncodingLimits
  readonly #scores = new Dictionary<number>()
  readonly #tree = new SortedSetTree()
  #isListpack: boolean

  constructor(limits: EncodingLimits) {
    this.#limits = limits
    this.#isListpack = limits.zsetMaxListpackEntries > 0
  }

  get size(): number {
    return this.#scores.size
  }

  get weight(): number {
    return BASE_BYTES + this.#scores.weight + this.size * ENTRY_BYTES
  }

  get elements(): Dictionary<number> {
    return this.#scores
  }

  get encoding(): 'listpack' | 'skiplist' {
    return this.#isListpack ? 'listpack' : 'skiplist'
  }

  score(member: string): number | undefined {
    return this.#scores.get(member)
  }

  has(member: string): boolean {
    return this.#scores.has(member)
  }

  /** Where a word of a command stands among the members; -1: it is none of them. It says something until a member leaves. */
  placeOfWord(args: Arguments, at: number): number {
    return this.#scores.placeOfBytes(args.bytes, args.start(at), args.end(at))
  }

  /** The score of the member at a place. */
  scoreAt(place: number): number {
    return this.#scores.valueAt(place)
  }

  /** Puts a member, or another score on it. */
  set(member: string, score: number): void {
    const place = this.#scores.placeOf(member)
    if (place === -1) this.insert(member, score)
    else this.moveAt(place, score)
  }

  /** Puts a member that is not there yet. */
  insert(member: string, score: number): void {
    if (this.#isListpack) this.#isListpack = this.#fits(this.size + 1, member.length)
    const kept = this.#kept(score)
    this.#tree.insert(member, kept)
    this.#scores.add(member, kept)
  }

  /** Puts another score on the member at a place. */
  moveAt(place: number, score: number): void {
    const before = this.#scores.valueAt(place)
    if (before === score) return
    const member = this.#scores.nameAt(place)
    const kept = this.#kept(score)
    this.#tree.delete(member, before)
    this.#tree.insert(member, kept)
    this.#scores.setAt(place, kept)
  }

  /** Removes a member. Returns whether it was there. */
  delete(member: string): boolean {
    const place = this.#scores.placeOf(member)
    if (place === -1) return false
    this.#tree.delete(member, this.#scores.valueAt(place))
    this.#scores.deleteAt(place)
    return true
  }

  /** Removes the entries with ranks from `from` to before `to`, and tells them first. */
  deleteRanks(from: number, to: number, tell?: Visit): void {
    this.visit(from, to, false, (member, score) => {
      this.#scores.delete(member)
      tell?.(member, score)
    })
    this.#tree.deleteRanks(from, to)
  }

  /** Place in the order, from 0. `undefined`: it is not a member. */
  rank(member: string): number | undefined {
    const score = this.#scores.get(member)
    return score === undefined ? undefined : this.#tree.rankOf(member, score)
  }

  /** How many entries have a score below this one; with `orEqual`, or this one. */
  rankOfScore(score: number, orEqual: boolean): number {
    return this.#tree.rankOfScore(score, orEqual)
  }

  /** How many members stand before this one, where all scores are equal; with `orEqual`, or are this one. */
  rankOfMember(member: string, orEqual: boolean): number {
    return this.#tree.rankOfMember(member, orEqual)
  }

  /** Tells the entries with ranks from `from` to before `to`, in order or, `reversed`, from the last to the first. */
  visit(from: number, to: number, reversed: boolean, visit: Visit): void {
    this.#tree.visit(from, to, reversed, visit)
  }

  /** Members in no particular order. */
  members(): Iterable<string> {
    return this.#scores.names()
  }

  /** Members and scores in no particular order. */
  entries(): Iterable<readonly [string, number]> {
    return this.#scores.entries()
  }

  /** Any member, each as likely as any other. There must be one. */
  randomMember(random: () => number): string {
    return this.#scores.nameAt(randomPlace(this.size, random))
  }

  /** Up to `count` different members by chance. */
  randomMembers(count: number, random: () => number): string[] {
    return Array.from(distinctPlaces(this.size, count, random), (place) => this.#scores.nameAt(place))
  }

  /** Entries in steps: see `Dictionary.scan`. A listpack comes in one, in order. */
  scan(cursor: number, count: number, tell: Visit): number {
    if (!this.#isListpack) return this.#scores.scan(cursor, count, tell)
    this.visit(0, this.size, false, tell)
    return 0
  }

  /** The same members and scores, in a set of its own. */
  clone(): SortedSet {
    const twin = new SortedSet(this.#limits)
    this.visit(0, this.size, false, (member, score) => {
      twin.#tree.insert(member, score)
      twin.#scores.add(member, score)
    })
    twin.#isListpack = this.#isListpack
    return twin
  }

  /** A listpack keeps whole numbers as such, and so no zero with a sign. */
  #kept(score: number): number {
    return this.#isListpack ? score + 0 : score
  }

  #fits(entries: number, length: number): boolean {
    const { zsetMaxListpackEntries, zsetMaxListpackValue } = this.#limits
    return entries <= zsetMaxListpackEntries && length <= zsetMaxListpackValue
  }
}

export const SORTED_SET: Kind<SortedSet> = { type: 'zset', create: (limits) => new SortedSet(limits) }
