/**
 * The method of every comparison: contenders take turns in one run, in several rounds, in an order that changes, so
 * that a machine that speeds up, slows down or is shared treats them alike.
 */

import { ratio, type Spread, spread } from './statistics.ts'

/** What one turn measured: a figure, or several by name, such as `{ kept: 140, fresh: 190 }`. */
export type Measured = number | Readonly<Record<string, number>>

/** Somebody who is measured. */
export interface Contender {
  readonly name: string
  /** Does its work once and returns what it measured, such as nanoseconds for an operation. */
  turn(): Measured | Promise<Measured>
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

/**
 * The figures of a run, one a round in the order of the rounds. Ask with the contender's name and, where its turns
 * measured several things, the name of the measure.
 */
export class Figures {
  readonly #rounds = new Map<string, number[]>()

  /** Keeps what one turn measured. */
  add(name: string, measured: Measured): void {
    for (const [measure, figure] of Object.entries(typeof measured === 'number' ? { '': measured } : measured)) {
      if (!Number.isFinite(figure)) throw new RangeError(`${name} measured ${figure} ${measure}, which is not a figure`)
      const slot = `${name}\n${measure}`
      const figures = this.#rounds.get(slot)
      if (figures) figures.push(figure)
      else this.#rounds.set(slot, [figure])
    }
  }

  of(name: string, measure = ''): readonly number[] {
    const figures = this.#rounds.get(`${name}\n${measure}`)
    if (figures) return figures
    throw new RangeError(`no figures ${measure} of ${name}`)
  }

  spread(name: string, measure = ''): Spread {
    return spread(this.of(name, measure))
  }

  /** `name` over `base`, round by round. */
  ratio(name: string, base: string, measure = ''): Spread {
    return ratio(this.of(name, measure), this.of(base, measure))
  }
}

/** Lets the contenders take turns. Those that can be closed stay open: the caller made them, the caller closes them. */
export async function alternate(contenders: readonly Contender[], options: AlternateOptions): Promise<Figures> {
  if (new Set(contenders.map(({ name }) => name)).size !== contenders.length) {
    throw new RangeError('two contenders have the same name')
  }
  const figures = new Figures()
  const warmup = options.warmup ?? 2
  for (let round = -warmup; round < options.rounds; round++) {
    options.progress?.(round, options.rounds)
    for (const contender of order(contenders, round + warmup)) {
      const measured = await contender.turn()
      if (round >= 0) figures.add(contender.name, measured)
    }
  }
  return figures
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
