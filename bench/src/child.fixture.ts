/** A contender for child.test.ts: it counts in steps, and tells its process id. */

import type { Contender } from './alternate.ts'

export function prepare({ step }: { step: unknown }): Contender {
  if (typeof step !== 'number') throw new TypeError('step: give a number')
  let figure = 0
  return { name: 'fixture', turn: () => ({ figure: (figure += step), pid: process.pid }) }
}
