/** A range of indexes as commands give it: with both ends, below 0 counted from the end. */

/** The elements from `from` to before `to`; none where the range is empty. */
export function rangeOf(first: number, last: number, size: number): { readonly from: number; readonly to: number } {
  const from = Math.max(0, first < 0 ? size + first : first)
  const to = Math.min(size, (last < 0 ? size + last : last) + 1)
  return from < to ? { from, to } : { from: 0, to: 0 }
}
