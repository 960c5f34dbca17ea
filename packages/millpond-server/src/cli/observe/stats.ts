/** `millpond stats`: what a cache holds and does, once. */
import { bytesText, durationText, print, printJson, usedText } from '../print.ts'
import { withService } from '../reach.ts'
import type { ReachFlags } from '../reach-flags.ts'
import { type InfoFields, readInfo } from './info.ts'

export async function stats(flags: ReachFlags & { section?: string }): Promise<void> {
  await withService(flags, async (service) => {
    const sections = flags.section === undefined ? ['everything'] : [flags.section]
    const info = await readInfo(service, ...sections)
    if (flags.json) printJson(info)
    else if (flags.section !== undefined) for (const [name, value] of Object.entries(info)) print(`${name}:${value}`)
    else for (const [name, text] of factsOf(info)) print(`  ${name.padEnd(12)}${text}`)
  })
}

function factsOf(info: InfoFields): readonly (readonly [string, string])[] {
  const number = (name: string): number => Number(info[name] ?? 0)
  const count = (name: string): string => number(name).toLocaleString('en')
  const reads = number('keyspace_hits') + number('keyspace_misses')
  const keys = Object.entries(info)
    .filter(([name]) => /^db\d+$/.test(name))
    .map(([name, text]) => `${Number(/keys=(\d+)/.exec(text)?.[1] ?? 0).toLocaleString('en')} in ${name}`)
  return [
    ['server', `process ${info.process_id}, up for ${durationText(number('uptime_in_seconds') * 1000)}`],
    ['keys', keys.join(', ') || 'none'],
    ['memory', `${usedText(number('used_memory'), number('maxmemory'))}, then ${info.maxmemory_policy}`],
    ['hit rate', reads === 0 ? 'no reads yet' : `${((100 * number('keyspace_hits')) / reads).toFixed(1)} % of ${reads.toLocaleString('en')} reads`], // biome-ignore format: one line
    ['left', `${count('expired_keys')} expired, ${count('evicted_keys')} evicted`],
    ['commands', `${count('total_commands_processed')} in all, ${count('instantaneous_ops_per_sec')} a second now`],
    ['clients', `${count('connected_clients')}, of them ${count('blocked_clients')} wait; ${count('rejected_connections')} were turned away`], // biome-ignore format: one line
    ['network', `${bytesText(number('total_net_input_bytes'))} in, ${bytesText(number('total_net_output_bytes'))} out`],
    ['disk', info.aof_enabled === '1' ? `a log, last write ${info.aof_last_write_status}` : 'nothing is written'],
  ]
}
