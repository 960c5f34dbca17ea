/**
 * `node --conditions=@millpond/source --import tsx tools/redis-protocol.ts`: writes docs/redis-protocol.md from what the
 * commands say of themselves. tests/redis-protocol.test.ts checks that it was done.
 */
import { writeFileSync } from 'node:fs'
import { CommandTable } from '../packages/millpond-server/src/commands/command-table.ts'
import { REDIS_COMMANDS } from '../packages/millpond-server/src/commands/redis-commands.ts'
import { COMMANDS } from '../packages/millpond-server/src/commands/table.ts'

const HEAD = `# The Redis protocol

\`millpond serve\` speaks RESP2 and RESP3 as Redis 7.0 does, so Redis clients work with it by changing their address alone.
This table has every command of Redis 7.2 and its state here. It is made from the commands themselves, by
\`node --conditions=@millpond/source --import tsx tools/redis-protocol.ts\`.

What is not here answers with an error that says so. Commands marked *refused* exist, so that clients that ask are told why.
`

const TITLES: Readonly<Record<string, string>> = {
  sorted_set: 'Sorted sets',
  pubsub: 'Pub/Sub',
  transactions: 'Transactions',
}

/** The whole page. */
export function page(): string {
  const table = new CommandTable(COMMANDS)
  const known = new Set<string>()
  const chapters = Object.entries(REDIS_COMMANDS).map(([group, names]) => {
    const rows = names.split(' ').map((name) => {
      known.add(name)
      return rowOf(table, name)
    })
    const have = rows.filter(({ state }) => state === 'yes').length
    return [
      `## ${TITLES[group] ?? group[0]!.toUpperCase() + group.slice(1)}`,
      '',
      `${have} of ${rows.length}.`,
      '',
      '| command | state | what it does |',
      '|---|---|---|',
      ...rows.map(({ name, state, note }) => `| \`${name.replace('|', ' ').toUpperCase()}\` | ${state} | ${note} |`),
    ].join('\n')
  })
  const more = table.entries.filter(
    ({ fullName, children }) => !known.has(fullName) && !children && !/\|help$/.test(fullName),
  )
  const others = [
    '## Beyond Redis 7.2',
    '',
    'Commands of later versions, or our own.',
    '',
    '| command | what it does |',
    '|---|---|',
    ...more.map(
      ({ fullName, command }) => `| \`${fullName.replace('|', ' ').toUpperCase()}\` | ${cell(command.summary)} |`,
    ),
  ].join('\n')
  return `${[HEAD.trimEnd(), ...chapters, others].join('\n\n')}\n`
}

interface RowOfPage {
  readonly name: string
  readonly state: string
  readonly note: string
}

function rowOf(table: CommandTable, name: string): RowOfPage {
  const parent = table.named(name.split('|')[0]!)
  const entry = table.named(name) ?? (parent?.command.refuses ? parent : undefined)
  if (entry === undefined) return { name, state: 'not yet', note: '' }
  const { refuses, summary } = entry.command
  return refuses ? { name, state: 'refused', note: cell(refuses) } : { name, state: 'yes', note: cell(summary) }
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

if (import.meta.filename === process.argv[1]) {
  writeFileSync(new URL('../docs/redis-protocol.md', import.meta.url), page())
}
