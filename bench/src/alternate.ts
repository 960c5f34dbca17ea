/**
 * The method of every comparison: contenders take turns in one run, in several rounds, in an order that changes, so
 * that a machine that speeds up, slows down or is shared treats them alike.
 */

import { ratio, type Spread, spread } from './statistics.ts'

/** Somebody who is measured. */
export interface Contender {
  readonly name: string
  /** Does its work once and returns the figure, such as nanoseconds for an operation. */
  turn(): number | Promise<number>
  /** Ends what it started, such as its own process. */
  close?(): void | Promise<void>
}

export interface AlternateOptions {
  /** Rounds that count. */
  readonly rounds: number
  /** Rounds before them that do not: just-in-time compilation, calibration. Default 2. */
  readonly warmup?: number
  /** Told before each round. */
  readonly progress?: (round: number, rounds: number) => void
}

/** The figures of a run: one a round for each contender, in the order of the rounds. */
export class Figures {
  readonly rounds: ReadonlyMap<string, readonly number[]>

  constructor(rounds: ReadonlyMap<string, readonly number[]>) {
    this.rounds = rounds
  }

  of(name: string): readonly number[] {
    const figures = this.rounds.get(name)
    if (figures) return figures
    throw new RangeError(`${name} took no part; there are ${[...this.rounds.keys()].join(', ')}`)
  }

  spread(name: string): Spread {
    return spread(this.of(name))
  }

  /** `name` over `base`, round by round. */
  ratio(name: string, base: string): Spread {
    return ratio(this.of(name), this.of(base))
  }
}

/** Lets the contenders take turns. Those that can be closed stay open: the caller made them, the caller closes them. */
export async function alternate(contenders: readonly Contender[], options: AlternateOptions): Promise<Figures> {
  const rounds = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  if (rounds.size !== contenders.length) throw new RangeError('two contenders have the same name')
  const warmup = options.warmup ?? 2
  for (let round = -warmup; round < options.rounds; round++) {
    options.progress?.(round, options.rounds)
    for (const contender of order(contenders, round + warmup)) {
      const figure = await contender.turn()
      if (!Number.isFinite(figure)) throw new RangeError(`${contender.name} measured ${figure}, which is not a figure`)
      if (round >= 0) rounds.get(contender.name)!.push(figure)
    }
  }
  return new Figures(rounds)
}

/**
 * The order of a round: it starts one contender later each time, and runs backwards every other time, so that nobody
 * always comes after the same one (whose garbage or cache lines it would inherit).
 */
export function order<T>(contenders: readonly T[], round: number): T[] {
  const first = contenders.length === 0 ? 0 : round % contenders.length
  const turned = [...contenders.slice(first), ...contenders.slice(0, first)]
  return round % 2 === 0 ? turned : turned.reverse()
}

/** Closes contenders, all of them, even when one cannot. */
export async function closeAll(contenders: readonly Contender[]): Promise<void> {
  await Promise.allSettled(contenders.map(async (contender) => contender.close?.()))
}
