/** A command as COMMAND INFO and COMMAND DOCS tell it. */
import type { Reply } from '../../engine/reply.ts'
import { categoriesOf } from '../acl/categories.ts'
import type { KeySpec } from '../command.ts'
import type { CommandEntry } from '../command-table.ts'

/** Where the keys stand, in the three numbers that older clients know: first, last, step. */
export function legacyKeys({ command }: CommandEntry): readonly [first: number, last: number, step: number] {
  const spec = command.keys?.[0]
  if (spec === undefined || typeof spec.first !== 'number' || typeof spec.last !== 'number') return [0, 0, 0]
  return [spec.first, spec.last, spec.step ?? 1]
}

/** Whether those numbers do not tell all keys. */
export function hasMovableKeys({ command }: CommandEntry): boolean {
  const { keys = [], keysOf } = command
  return keysOf !== undefined || keys.some(({ first, last }) => typeof first !== 'number' || typeof last !== 'number')
}

/** An entry of COMMAND INFO. */
export function writeInfo(entry: CommandEntry, reply: Reply): void {
  const { command, children, fullName } = entry
  const flags = [
    ...command.flags.filter((flag) => flag !== 'movablekeys'),
    ...(hasMovableKeys(entry) ? ['movablekeys'] : []),
  ]
  const categories = [...categoriesOf(entry)]
  reply.array(10)
  reply.bulk(fullName)
  reply.integer(command.arity)
  reply.set(flags.length)
  for (const flag of flags) reply.simple(flag)
  for (const number of legacyKeys(entry)) reply.integer(number)
  reply.set(categories.length)
  for (const category of categories) reply.simple(`@${category}`)
  reply.array(0)
  const specs = command.keys ?? []
  reply.array(specs.length)
  for (const spec of specs) writeSpec(spec, reply)
  const own = children ? [...children] : []
  reply.array(own.length)
  for (const child of own) writeInfo(child, reply)
}

/** What is done with a key, in capitals: 'RW', 'ACCESS', 'UPDATE'. */
export function flagsOf({ access, touches = [], notKey }: KeySpec): string[] {
  if (notKey) return ['not_key']
  return [access, ...touches.map((touch) => touch)]
}

function writeSpec(spec: KeySpec, reply: Reply): void {
  const flags = flagsOf(spec)
  reply.map(3)
  reply.bulk('flags')
  reply.set(flags.length)
  for (const flag of flags) reply.simple(flag)
  reply.bulk('begin_search')
  const { first, last, step = 1 } = spec
  if (typeof first === 'number') writeSearch('index', [['index', first]], reply)
  else {
    writeSearch(
      'keyword',
      [
        ['keyword', first.keyword],
        ['startfrom', first.from],
      ],
      reply,
    )
  }
  reply.bulk('find_keys')
  const begin = typeof first === 'number' ? first : 0
  const found: Facts =
    typeof last === 'number'
      ? [
          ['lastkey', last < 0 ? last : last - begin],
          ['keystep', step],
          ['limit', 0],
        ]
      : [
          ['keynumidx', last.countAt - begin < 0 ? 0 : last.countAt - begin],
          ['firstkey', 1],
          ['keystep', step],
        ]
  writeSearch(typeof last === 'number' ? 'range' : 'keynum', found, reply)
}

type Facts = readonly (readonly [name: string, value: string | number])[]

function writeSearch(type: string, facts: Facts, reply: Reply): void {
  reply.map(2)
  reply.bulk('type')
  reply.bulk(type)
  reply.bulk('spec')
  reply.map(facts.length)
  for (const [name, value] of facts) {
    reply.bulk(name)
    if (typeof value === 'number') reply.integer(value)
    else reply.bulk(value)
  }
}

/** An entry of COMMAND DOCS, without its name. */
export function writeDocs({ command, children }: CommandEntry, reply: Reply): void {
  const group = command.group.replace('_', '-')
  const facts = [
    ['summary', command.summary],
    ['since', command.since],
    ['group', group],
    ...(command.complexity ? [['complexity', command.complexity]] : []),
  ] as const
  const own = children ? [...children] : []
  reply.map(facts.length + (own.length > 0 ? 1 : 0))
  for (const [name, value] of facts) {
    reply.bulk(name!)
    reply.bulk(value!)
  }
  if (own.length === 0) return
  reply.bulk('subcommands')
  reply.map(own.length)
  for (const child of own) {
    reply.bulk(child.fullName)
    writeDocs(child, reply)
  }
}
