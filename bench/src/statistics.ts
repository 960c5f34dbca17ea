/** The few statistics that the suites use: medians and quartiles, which one slow round cannot move. */

/** The middle of several rounds: half of them lie between `low` and `high`. */
export interface Spread {
  readonly median: number
  /** First quartile. */
  readonly low: number
  /** Third quartile. */
  readonly high: number
}

/** The value below which the given share of the figures lies, between neighbours by straight line. `share` is 0 to 1. */
export function quantile(figures: readonly number[], share: number): number {
  if (figures.length === 0) throw new RangeError('there is no quantile of no figures; measure at least one round')
  const sorted = Float64Array.from(figures).sort()
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)]!
  const above = sorted[Math.ceil(place)]!
  return below === above ? below : below + (above - below) * (place - Math.floor(place))
}

export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5)
}

/** Median and quartiles. */
export function spread(figures: readonly number[]): Spread {
  return { median: median(figures), low: quantile(figures, 0.25), high: quantile(figures, 0.75) }
}

/**
 * The ratio of two contenders, taken round by round before the median: what slows the machine for a moment slows both
 * sides of one round, and cancels.
 */
export function ratio(figures: readonly number[], base: readonly number[]): Spread {
  if (figures.length !== base.length) {
    throw new RangeError(`rounds do not pair: ${figures.length} against ${base.length}; measure both in one run`)
  }
  return spread(figures.map((figure, round) => figure / base[round]!))
}
