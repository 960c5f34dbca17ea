import { type Size, sizeBytes } from '../core/size.ts'
import { Ghost } from './ghost.ts'

/**
 * An amount of memory that several tables share: together they never weigh more. Room goes where it earns hits.
 *
 * While there is room, each table takes what it needs. When there is none, the table that needs some evicts an entry of its own,
 * unless another table would lose less by it: each table remembers the hashes that it evicted of late, and the
 * rate at which these come back, for its weight, is what more room would have earned there. So room
 * moves until the rates are equal, which is the best division as long as more room earns less and less. A table keeps
 * a quarter of an equal share in any case, so that it can show what it would earn.
 *
 * The idea of equal marginal hits: Stone, Turek and Wolf, "Optimal Partitioning of Cache Memory", IEEE ToC 1992.
 */
export class MemoryBudget {
  readonly maxWeight: number
  readonly #members: BudgetMember[] = []
  #weight = 0
  #comings = 0

  /** @throws OptionError (`ERR_OPTION`) when the size is not a positive number of bytes */
  constructor(maxWeight: Size) {
    this.maxWeight = sizeBytes(maxWeight, 'budget')
  }

  /** What all tables weigh now. */
  get weight(): number {
    return this.#weight
  }

  /** @internal */
  join(table: BudgetTable): BudgetMember {
    const member = new BudgetMember(this, table)
    this.#members.push(member)
    return member
  }

  /** @internal */
  fits(weight: number): boolean {
    return this.#weight + weight <= this.maxWeight
  }

  /** @internal A table has become heavier or lighter. */
  account(change: number): void {
    this.#weight += change
  }

  /** @internal Who has to evict so that `asking` can take something in. */
  giver(asking: BudgetMember): BudgetMember {
    const own = asking.table.weight()
    // A table that has nothing to give takes from the others whatever they have.
    const least = own > 0 ? this.maxWeight / this.#members.length / 4 : 0
    let giver = asking
    let loss = own > 0 ? asking.returnRate * STAY : Number.POSITIVE_INFINITY
    for (const member of this.#members) {
      if (member === asking || member.table.weight() <= least || member.returnRate >= loss) continue
      giver = member
      loss = member.returnRate
    }
    return giver
  }

  /** @internal Old returns fade: they count half after as many newcomers as there are entries. */
  came(): void {
    if (++this.#comings < this.#members.reduce((sum, { table }) => sum + table.size(), 64)) return
    this.#comings = 0
    for (const member of this.#members) member.fade()
  }

  /** @internal The giver's listener hears of what it gave, after the table that asked is done. */
  settle(): void {
    for (const { table } of this.#members) table.settle()
  }
}

/** The side of a table that its budget sees. */
export interface BudgetTable {
  size(): number
  weight(): number
  /** Evicts one entry; the newcomer is in another table. */
  give(): void
  settle(): void
}

/** One table's part in a budget: what it has evicted of late, and how much of that came back. */
export class BudgetMember {
  readonly budget: MemoryBudget
  readonly table: BudgetTable
  #ghost = new Ghost(new Int32Array(GHOST_WORDS), new Int32Array(1))
  #returns = 0

  constructor(budget: MemoryBudget, table: BudgetTable) {
    this.budget = budget
    this.table = table
  }

  /** Returns of late for the table's weight. */
  get returnRate(): number {
    return this.#returns / this.table.weight()
  }

  /** A key was evicted. */
  left(hash: number): void {
    this.#ghost.add(hash, 0)
  }

  /** A new key was taken in. */
  came(hash: number): void {
    const at = this.#ghost.find(hash, Math.max(8, this.table.size() / 2))
    if (at >= 0) {
      this.#returns++
      this.#ghost.forget(at)
    }
    this.budget.came()
  }

  fade(): void {
    this.#returns /= 2
  }

  /** The table has room for so many slots: as many evictions are remembered. */
  remember(slots: number): void {
    this.#ghost = new Ghost(new Int32Array(Ghost.words(slots / 2)), new Int32Array(1))
  }
}

const GHOST_WORDS = Ghost.words(512)

/** By how much another table has to be worse before room moves: small differences are noise. */
const STAY = 0.9
