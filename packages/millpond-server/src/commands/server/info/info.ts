import type { Command } from '../../command.ts'
import type { Service } from '../../service.ts'
import { memory } from './memory-section.ts'
import { persistence } from './persistence-section.ts'
import type { InfoSection } from './section.ts'
import { clients, cluster, keyspace, modules, processor, replication, server } from './server-section.ts'
import { commandStatistics, errorStatistics, latencyStatistics, statistics } from './statistics-section.ts'

const SECTIONS: readonly InfoSection[] = [
  server,
  clients,
  memory,
  persistence,
  statistics,
  replication,
  processor,
  modules,
  commandStatistics,
  errorStatistics,
  latencyStatistics,
  cluster,
  keyspace,
]

/** Everything about the server, for people and programs. */
export const info: Command = {
  name: 'info',
  since: '1.0.0',
  group: 'server',
  summary: 'Returns information and statistics about the server.',
  complexity: 'O(1)',
  arity: -1,
  flags: ['loading', 'stale'],
  categories: ['dangerous'],
  syntax: '[section [section ...]]',
  run({ service }, args, reply) {
    reply.verbatim(
      'txt',
      infoText(
        service,
        args.texts(1).map((name) => name.toLowerCase()),
      ),
    )
  },
}

function infoText(service: Service, wanted: readonly string[]): string {
  service.statistics.end()
  const all = wanted.includes('all') || wanted.includes('everything')
  const byDefault = wanted.length === 0 || wanted.includes('default')
  return SECTIONS.filter(({ name, extra }) => all || (byDefault && !extra) || wanted.includes(name))
    .filter(({ name }) => name !== 'modules' || wanted.includes('everything') || !all || wanted.includes('modules'))
    .map((section) => textOf(section, service))
    .join('\r\n')
}

function textOf({ title, lines }: InfoSection, service: Service): string {
  return [`# ${title}`, ...lines(service).map(([name, value]) => `${name}:${value}`), ''].join('\r\n')
}
