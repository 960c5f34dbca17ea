import { type Size, sizeBytes } from '../core/size.ts'

/** An amount of memory that several tables share. */
export class MemoryBudget {
  readonly maxWeight: number
  constructor(maxWeight: Size) {
    this.maxWeight = sizeBytes(maxWeight, 'budget')
  }
}
