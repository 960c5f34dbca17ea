/** The suite `fresh-checker`: processes with caches over real PostgreSQL servers, faults, and a judge of all that was read. */
import { describeViolation, tally, type Verdict } from '../../../tests/simulation/fresh/judge.ts'
import type { MutantName } from '../../../tests/simulation/fresh/mutants.ts'
import type { Fault } from '../../../tests/simulation/fresh/row-history.ts'
import { SCENARIOS, type Scenario } from '../../../tests/simulation/fresh/scenarios.ts'
import { Stage } from '../../../tests/simulation/fresh/stage.ts'
import { type StormReport, storm } from '../../../tests/simulation/fresh/storm.ts'
import { atLeast, exactly, type Row, row, type Suite, type SuiteContext } from '../suite.ts'

const BINARIES = ['system', 'embedded'] as const
type Binaries = (typeof BINARIES)[number]

const STORM_MS = 20_000

export const suite: Suite = {
  name: 'fresh-checker',
  summary: 'cached SQL under faults, judged by a history checker: reads that broke the promise of their mode',
  options: {
    minutes: { type: 'string', summary: 'N: how long the storms last together; default 10' },
    seed: { type: 'string', summary: 'N: of the first storm; the following have the next numbers' },
    mutants: { type: 'boolean', summary: 'plays each weakness on the library and on mutants of it, instead of storms' },
  },
  async run(context) {
    return context.options.mutants === true ? await playMutants(context) : await playStorms(context)
  },
}

async function playStorms(context: SuiteContext): Promise<Row[]> {
  const minutes = Number(context.options.minutes ?? (context.quick ? 0.5 : 10))
  const first = Number(context.options.seed ?? Date.now() % 1_000_000)
  const endMs = performance.now() + minutes * 60_000
  const reports: StormReport[] = []
  for (let seed = first; reports.length < BINARIES.length || performance.now() < endMs; seed++) {
    const binaries = BINARIES[seed % BINARIES.length]!
    context.progress(`storm ${seed} on ${binaries}`)
    const report = await storm({ seed, binaries, durationMs: context.quick ? STORM_MS / 2 : STORM_MS })
    for (const violation of report.verdict.violations.slice(0, 5))
      context.note(`seed ${seed}, ${binaries}: ${describeViolation(violation)}`)
    reports.push(report)
  }
  context.note(
    `${reports.length} storms, seeds ${first} to ${first + reports.length - 1}; one again: --seed N --minutes 0`,
  )
  return stormRows(reports)
}

function stormRows(reports: readonly StormReport[]): Row[] {
  const sum = (figure: (report: StormReport) => number): number => reports.reduce((all, one) => all + figure(one), 0)
  const counts = reports.map(({ verdict }) => tally(verdict))
  const faults = new Set(reports.flatMap((report) => Object.keys(report.faults)))
  return [
    ...(Object.keys(counts[0]!) as Fault[]).map((fault) =>
      row(
        `reads: ${fault}`,
        counts.reduce((all, one) => all + one[fault], 0),
        'reads',
        exactly(0),
      ),
    ),
    row(
      'reads',
      sum(({ verdict }) => verdict.reads),
      'reads',
    ),
    ...(['bounded', 'atLeast', 'strict', 'rest'] as const).map((mode) =>
      row(
        `hits, ${mode}`,
        sum(({ verdict }) => verdict.hits[mode]),
        'reads',
        atLeast(10 * reports.length),
      ),
    ),
    row(
      'writes',
      sum(({ writes }) => writes),
      'writes',
    ),
    row('oldest hit, of its bound', Math.max(...reports.map(ageOf)), 'times', {
      text: '<= 1',
      holds: (share) => share <= 1,
    }),
    ...[...faults].sort().map((name) =>
      row(
        `played: ${name}`,
        sum((report) => report.faults[name] ?? 0),
        'times',
      ),
    ),
  ]
}

function ageOf({ verdict, settings }: StormReport): number {
  return verdict.oldestHitMs / settings.boundMs
}

async function playMutants(context: SuiteContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const binaries of BINARIES) {
    const stage = new Stage(binaries)
    try {
      for (const scenario of SCENARIOS) rows.push(...(await playScenario(context, stage, scenario, binaries)))
    } finally {
      await stage.end()
    }
  }
  return rows
}

async function playScenario(
  context: SuiteContext,
  stage: Stage,
  scenario: Scenario,
  binaries: Binaries,
): Promise<Row[]> {
  context.progress(`${binaries}: ${scenario.name}`)
  const verdict = await stage.play(scenario)
  for (const violation of verdict.violations.slice(0, 5)) context.note(describeViolation(violation))
  const rows = [row(`${binaries}: ${scenario.name}`, verdict.violations.length, 'reads', exactly(0))]
  for (const mutant of scenario.kills) rows.push(killedRow(binaries, mutant, await stage.play(scenario, mutant)))
  return rows
}

function killedRow(binaries: Binaries, mutant: MutantName, { violations }: Verdict): Row {
  const end = violations.length > 0 ? 'killed' : 'SURVIVED'
  return row(`${binaries}: mutant ${mutant}: ${end}`, violations.length, 'reads', atLeast(1))
}
