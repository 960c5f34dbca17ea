/** `millpond doctor`: whether a service is well, and what to do if not. Changes nothing. */
import { ServiceError } from 'millpond'
import { MILLPOND_VERSION } from '../../../commands/versions.ts'
import { adviceOf, EXIT, exitCodeOf } from '../../exit-codes.ts'
import { print, printJson } from '../../print.ts'
import { connect, reachOf } from '../../reach.ts'
import type { ReachFlags } from '../../reach-flags.ts'
import { MARKS } from '../postgres/report.ts'
import { readFacts } from './facts.ts'
import { found, isToBeChanged, type ServiceFinding } from './finding.ts'
import { judge } from './judge.ts'

/** Prints what is found. Returns the exit code. */
export async function doctorService(flags: ReachFlags): Promise<number> {
  const reach = reachOf(flags)
  const service = connect(reach)
  try {
    const findings = judge(await readFacts(service, reach), MILLPOND_VERSION, Date.now())
    tell(service.place, findings, flags)
    return findings.some(isToBeChanged) ? EXIT.FAILED : 0
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    tell(service.place, [found('fault', 'reachable', adviceOf(error))], flags)
    return exitCodeOf(error)
  } finally {
    await service.close()
  }
}

function tell(place: string, findings: readonly ServiceFinding[], { json }: ReachFlags): void {
  if (json) {
    printJson({ place, findings })
    return
  }
  print(`The service at ${place}:\n`)
  for (const { verdict, says, advice } of findings) {
    print(`  ${MARKS[verdict].padEnd(4)}  ${says}`)
    if (advice !== undefined) print(`        ${advice}`)
  }
  const count = findings.filter(isToBeChanged).length
  print(`\n${count === 0 ? 'All is well.' : `${count} ${count === 1 ? 'thing has' : 'things have'} to be changed.`}`)
}
