/** The amount that a number with a unit such as `'1.5h'` stands for, `units` being what one of each is; NaN if it is no such text. */
export function amountOf(text: string, units: Readonly<Record<string, number>>): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(text) ?? []
  return Number(count) * Number(units[unit!])
}
