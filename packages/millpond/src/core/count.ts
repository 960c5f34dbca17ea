import { OptionError } from './errors.ts'

/**
 * A whole number from 1 up, checked; `otherwise` when it was not given.
 *
 * @param name the option it came from, for the error message
 * @throws OptionError (`ERR_OPTION`)
 */
export function positiveCount(given: number | undefined, name: string, otherwise: number): number {
  if (given === undefined) return otherwise
  if (given >= 1 && (Number.isInteger(given) || given === Number.POSITIVE_INFINITY)) return given
  throw new OptionError(name, given, 'give a whole number from 1 up')
}
