/** Entries of a sorted set in their order, by score and then by member: found by rank, by score and by member. */

/** Most entries of a leaf, most children of a branch. Smaller: more levels; larger: longer shifts. Of 32 to 256, 64 and 128 did best. */
const FULL = 64
/** Fewer than this, and a neighbour takes them in if it can. */
const FEW = 16

/** Is told entries one after the other. */
export type Visit = (member: string, score: number) => void

/**
 * A B+-tree whose branches know how many entries each child has, so that ranks are sums along one path.
 *
 * Implementation note. Everything that lies in a range of scores or members lies in a range of ranks, so a set needs three
 * things of it: the rank where a bound cuts, the entries of a range of ranks, and changes. Leaves keep scores apart from members,
 * which V8 stores as plain doubles. Branches keep the first entry of each child as it was when the child came to be: all entries of
 * the child are at or behind it, all of the one before are ahead of it, and removals need not touch it. Scores that
 * only rise, such as times, fill the last leaf whole: it is not halved but followed by a new one. A plain array of sorted blocks
 * inserts as fast, but takes twice as long for a rank among 100,000 entries, and with ten times as many ten times as long.
 */
export class SortedSetTree {
  #root: Leaf | Branch = new Leaf()

  get size(): number {
    return this.#root.size
  }

  /** Adds an entry that is not there yet. */
  insert(member: string, score: number): void {
    const right = this.#root.insert(member, score, true)
    if (right !== undefined) this.#root = Branch.over(this.#root, right)
  }

  /** Removes an entry that is there. */
  delete(member: string, score: number): void {
    this.#root.delete(member, score)
    this.#lower()
  }

  /** Removes the entries with ranks from `from` to before `to`. */
  deleteRanks(from: number, to: number): void {
    if (from >= to) return
    this.#root.deleteRanks(from, to)
    this.#lower()
  }

  /** How many entries stand before this one, which need not be there. */
  rankOf(member: string, score: number): number {
    return this.#root.rankOf(member, score)
  }

  /** How many entries have a score below this one; with `orEqual`, or this one. */
  rankOfScore(score: number, orEqual: boolean): number {
    return this.#root.rankOfScore(score, orEqual)
  }

  /** How many entries have a member below this one; with `orEqual`, or this one. All scores must be equal. */
  rankOfMember(member: string, orEqual: boolean): number {
    return this.#root.rankOfMember(member, orEqual)
  }

  /** Tells the entries with ranks from `from` to before `to`, in order or, `reversed`, from the last to the first. */
  visit(from: number, to: number, reversed: boolean, visit: Visit): void {
    if (from < to) this.#root.visit(from, to, reversed, visit)
  }

  /** A branch with one child is not needed; one without any is an empty leaf. */
  #lower(): void {
    while (this.#root instanceof Branch && this.#root.children.length < 2) {
      this.#root = this.#root.children[0] ?? new Leaf()
    }
  }
}

class Leaf {
  readonly scores: number[] = []
  readonly members: string[] = []

  get size(): number {
    return this.scores.length
  }

  get width(): number {
    return this.scores.length
  }

  get firstScore(): number {
    return this.scores[0]!
  }

  get firstMember(): string {
    return this.members[0]!
  }

  insert(member: string, score: number, isLast: boolean): Leaf | undefined {
    const at = this.rankOf(member, score)
    if (this.size < FULL) {
      this.#open(at, member, score)
      return undefined
    }
    const right = this.#split(isLast && at === FULL ? FULL : FULL / 2)
    if (at > this.size || right.size === 0) right.#open(at - this.size, member, score)
    else this.#open(at, member, score)
    return right
  }

  delete(member: string, score: number): void {
    const at = this.rankOf(member, score)
    this.deleteRanks(at, at + 1)
  }

  deleteRanks(from: number, to: number): void {
    const { scores, members } = this
    const count = to - from
    for (let at = to; at < scores.length; at++) {
      scores[at - count] = scores[at]!
      members[at - count] = members[at]!
    }
    scores.length -= count
    members.length -= count
  }

  rankOf(member: string, score: number): number {
    const { scores, members } = this
    let low = 0
    let high = scores.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = scores[middle]!
      if (found < score || (found === score && members[middle]! < member)) low = middle + 1
      else high = middle
    }
    return low
  }

  rankOfScore(score: number, orEqual: boolean): number {
    return cut(this.scores, score, orEqual)
  }

  rankOfMember(member: string, orEqual: boolean): number {
    return cut(this.members, member, orEqual)
  }

  visit(from: number, to: number, reversed: boolean, visit: Visit): void {
    const { scores, members } = this
    if (reversed) for (let at = to - 1; at >= from; at--) visit(members[at]!, scores[at]!)
    else for (let at = from; at < to; at++) visit(members[at]!, scores[at]!)
  }

  /** Takes in the entries of the leaf behind it. */
  absorb(right: Leaf): void {
    this.scores.push(...right.scores)
    this.members.push(...right.members)
  }

  #open(place: number, member: string, score: number): void {
    const { scores, members } = this
    scores.push(score)
    members.push(member)
    for (let at = scores.length - 1; at > place; at--) {
      scores[at] = scores[at - 1]!
      members[at] = members[at - 1]!
    }
    scores[place] = score
    members[place] = member
  }

  #split(at: number): Leaf {
    const right = new Leaf()
    right.scores.push(...this.scores.splice(at))
    right.members.push(...this.members.splice(at))
    return right
  }
}

class Branch {
  readonly children: (Leaf | Branch)[] = []
  /** How many entries each child has. */
  readonly sizes: number[] = []
  readonly scores: number[] = []
  readonly members: string[] = []
  size = 0

  static over(left: Leaf | Branch, right: Leaf | Branch): Branch {
    const branch = new Branch()
    branch.#add(0, left)
    branch.#add(1, right)
    return branch
  }

  get width(): number {
    return this.children.length
  }

  get firstScore(): number {
    return this.scores[0]!
  }

  get firstMember(): string {
    return this.members[0]!
  }

  insert(member: string, score: number, isLast: boolean): Branch | undefined {
    const at = this.#childOf(member, score)
    const child = this.children[at]!
    const added = child.insert(member, score, isLast && at === this.children.length - 1)
    this.size++
    this.sizes[at] = child.size
    if (added === undefined) return undefined
    this.size -= added.size
    this.#add(at + 1, added)
    if (this.children.length <= FULL) return undefined
    return this.#split(isLast && at === this.children.length - 2 ? FULL : FULL / 2)
  }

  delete(member: string, score: number): void {
    const at = this.#childOf(member, score)
    const child = this.children[at]!
    child.delete(member, score)
    this.size--
    this.sizes[at] = child.size
    if (child.width < FEW) this.#tidy(at)
  }

  deleteRanks(from: number, to: number): void {
    let end = this.size
    this.size -= to - from
    for (let at = this.children.length - 1; at >= 0 && end > from; at--) {
      const child = this.children[at]!
      const start = end - child.size
      if (start >= from && end <= to) this.#drop(at)
      else if (start < to) {
        child.deleteRanks(Math.max(0, from - start), Math.min(to, end) - start)
        this.sizes[at] = child.size
      }
      end = start
    }
    for (let at = this.children.length - 1; at >= 0; at--) if (this.children[at]!.width < FEW) this.#tidy(at)
  }

  rankOf(member: string, score: number): number {
    const at = this.#childOf(member, score)
    return this.#before(at) + this.children[at]!.rankOf(member, score)
  }

  rankOfScore(score: number, orEqual: boolean): number {
    const at = Math.max(0, cut(this.scores, score, orEqual) - 1)
    return this.#before(at) + this.children[at]!.rankOfScore(score, orEqual)
  }

  rankOfMember(member: string, orEqual: boolean): number {
    const at = Math.max(0, cut(this.members, member, orEqual) - 1)
    return this.#before(at) + this.children[at]!.rankOfMember(member, orEqual)
  }

  visit(from: number, to: number, reversed: boolean, visit: Visit): void {
    const { children } = this
    const step = reversed ? -1 : 1
    let start = reversed ? this.size : 0
    for (let at = reversed ? children.length - 1 : 0; at >= 0 && at < children.length; at += step) {
      const child = children[at]!
      if (reversed) start -= child.size
      const first = Math.max(from - start, 0)
      const end = Math.min(to - start, child.size)
      if (first < end) child.visit(first, end, reversed, visit)
      if (!reversed) start += child.size
      if (reversed ? start <= from : start >= to) return
    }
  }

  /** Takes in the children of the branch behind it, which begins with this score and member: its first child may have changed. */
  absorb(right: Branch, score: number, member: string): void {
    this.children.push(...right.children)
    this.sizes.push(...right.sizes)
    this.scores.push(score, ...right.scores.slice(1))
    this.members.push(member, ...right.members.slice(1))
    this.size += right.size
  }

  /** The last child whose first entry is not behind this one. */
  #childOf(member: string, score: number): number {
    const { scores, members } = this
    let low = 1
    let high = scores.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = scores[middle]!
      if (found < score || (found === score && members[middle]! <= member)) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #before(at: number): number {
    let size = 0
    for (let place = 0; place < at; place++) size += this.sizes[place]!
    return size
  }

  #add(at: number, child: Leaf | Branch): void {
    this.children.splice(at, 0, child)
    this.sizes.splice(at, 0, child.size)
    this.scores.splice(at, 0, child.firstScore)
    this.members.splice(at, 0, child.firstMember)
    this.size += child.size
  }

  #drop(at: number): void {
    this.children.splice(at, 1)
    this.sizes.splice(at, 1)
    this.scores.splice(at, 1)
    this.members.splice(at, 1)
  }

  /** A child that has become small joins a neighbour, if both together are not too large. */
  #tidy(at: number): void {
    const { children } = this
    if (children[at]!.width === 0) {
      this.#drop(at)
      return
    }
    for (const left of [at - 1, at]) {
      const one = children[left]
      const other = children[left + 1]
      if (one === undefined || other === undefined || one.width + other.width > FULL) continue
      if (one instanceof Leaf) one.absorb(other as Leaf)
      else one.absorb(other as Branch, this.scores[left + 1]!, this.members[left + 1]!)
      this.#drop(left + 1)
      this.sizes[left] = one.size
      return
    }
  }

  #split(at: number): Branch {
    const right = new Branch()
    right.children.push(...this.children.splice(at))
    right.sizes.push(...this.sizes.splice(at))
    right.scores.push(...this.scores.splice(at))
    right.members.push(...this.members.splice(at))
    right.size = right.#before(right.children.length)
    this.size -= right.size
    return right
  }
}

/** How many of some ordered things come before this one; with `orEqual`, or are equal to it. */
function cut<Thing extends number | string>(things: readonly Thing[], bound: Thing, orEqual: boolean): number {
  let low = 0
  let high = things.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = things[middle]!
    if (found < bound || (orEqual && found === bound)) low = middle + 1
    else high = middle
  }
  return low
}
