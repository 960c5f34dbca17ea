/** What facts about a service mean, and what to do about them. */
import { bytesText, countText, durationText, usedText } from '../../print.ts'
import type { ServiceFacts } from './facts.ts'
import { found, type ServiceFinding } from './finding.ts'

export function judge(facts: ServiceFacts, ownVersion: string, nowMs: number): ServiceFinding[] {
  return [
    reachable(facts),
    version(facts, ownVersion),
    transport(facts, nowMs),
    tokens(facts),
    clock(facts),
    ...(facts.info === undefined ? [notAllowed()] : inside(facts, facts.info)),
  ]
}

function inside(facts: ServiceFacts, info: Readonly<Record<string, string>>): ServiceFinding[] {
  return [memory(info), policy(info), durability(info), clients(facts, info), ...swap(facts)]
}

function reachable({ place, pingMs, isLocal }: ServiceFacts): ServiceFinding {
  const says = `${place} answers within ${pingMs.toFixed(1)} ms.`
  if (!isLocal || pingMs < SLOW_MS) return found('good', 'reachable', says)
  const advice =
    'The machine is busy, or a client holds the server up: millpond top, and SLOWLOG GET, tell which command.'
  return found('warning', 'reachable', `${says} On one machine that is slow.`, advice)
}

function version({ greeting }: ServiceFacts, ownVersion: string): ServiceFinding {
  if (greeting.version === ownVersion) return found('good', 'version', `It is Millpond ${ownVersion}.`)
  const says = `It is Millpond ${greeting.version}, and this command is of ${ownVersion}.`
  return found('note', 'version', says, 'Commands that one of them does not have are refused with their name.')
}

function transport({ isLocal, certificateEndsAtMs }: ServiceFacts, nowMs: number): ServiceFinding {
  if (certificateEndsAtMs === undefined) {
    if (isLocal) return found('good', 'tls', 'Without TLS, on this machine alone.')
    return found('fault', 'tls', 'Without TLS, tokens and values can be read on the way.', 'Serve with --tls-cert and --tls-key, and connect by millponds://.') // biome-ignore format: one line
  }
  const leftMs = certificateEndsAtMs - nowMs
  const advice = 'Put another one in the place of its files: the server notices within a second.'
  if (leftMs <= 0) return found('fault', 'tls', `The certificate has ended ${durationText(-leftMs)} ago.`, advice)
  const says = `TLS, with a certificate that is good for ${durationText(leftMs)} yet.`
  return leftMs < SOON_MS ? found('warning', 'tls', says, advice) : found('good', 'tls', says)
}

function tokens({ isOpen, isLocal }: ServiceFacts): ServiceFinding {
  if (!isOpen) return found('good', 'tokens', 'Nobody comes in without a token or a password.')
  const advice = 'Serve with --tokens; millpond init makes the first ones.'
  if (isLocal) return found('note', 'tokens', 'Whoever reaches the port may do everything.', advice)
  return found('fault', 'tokens', 'Whoever reaches the port may do everything, from other machines too.', advice)
}

function clock({ clock: { aheadMs, withinMs } }: ServiceFacts): ServiceFinding {
  const awayMs = Math.abs(aheadMs)
  if (awayMs <= withinMs + CLOCK_MS) return found('good', 'clock', 'Its clock and the one here agree.')
  const says = `Its clock is ${durationText(awayMs)} ${aheadMs > 0 ? 'ahead of' : 'behind'} the one here.`
  return found('warning', 'clock', says, 'Let both follow NTP: tokens and EXPIREAT mean moments by that clock.')
}

function memory(info: Readonly<Record<string, string>>): ServiceFinding {
  const [used, max, system] = [Number(info.used_memory), Number(info.maxmemory), Number(info.total_system_memory)]
  const evicted = Number(info.evicted_keys ?? 0)
  const says = `${usedText(used, max)} are used; ${countText(evicted, 'key')} evicted.`
  if (system > 0 && max > system * SHARE_OF_MACHINE) {
    const advice = `Give it less, by CONFIG SET maxmemory or the configuration: the machine has ${bytesText(system)}, and copies for saving need room too.`
    return found('warning', 'memory', says, advice)
  }
  if (info.maxmemory_policy === 'noeviction' && max > 0 && used > max * NEARLY_FULL) {
    return found('fault', 'memory', `${says} Soon writes are refused.`, 'Give it more, or a policy that evicts.')
  }
  return found('good', 'memory', says)
}

function policy({ maxmemory_policy: name = '' }: Readonly<Record<string, string>>): ServiceFinding {
  if (name === 'noeviction') {
    return found('note', 'policy', 'When it is full, writes are refused (noeviction).', 'For a cache: CONFIG SET maxmemory-policy allkeys-tinylfu') // biome-ignore format: one line
  }
  if (name.startsWith('volatile-')) {
    return found('note', 'policy', `When it is full, only keys with a life leave (${name}).`, 'Keys without one stay: see that all have one, or take allkeys-tinylfu.') // biome-ignore format: one line
  }
  return found('good', 'policy', `When it is full, ${name} says who leaves.`)
}

function durability(info: Readonly<Record<string, string>>): ServiceFinding {
  const look = 'Look at the disk and at what the server has printed; it tries again by itself.'
  if (info.aof_enabled === '1') {
    const isWell = info.aof_last_write_status === 'ok'
    return isWell
      ? found('good', 'durability', 'Changes are written to disk.')
      : found('fault', 'durability', 'Changes could not be written to disk.', look)
  }
  if (info.rdb_last_bgsave_status === 'err') return found('fault', 'durability', 'The last save has failed.', look)
  return found('note', 'durability', 'Nothing is written to disk: after a restart the cache is empty.', 'To keep it: serve with --append everysec.') // biome-ignore format: one line
}

function clients({ parameters, process }: ServiceFacts, info: Readonly<Record<string, string>>): ServiceFinding {
  const max = Number(parameters?.maxclients ?? info.maxclients ?? 0)
  const rejected = Number(info.rejected_connections ?? 0)
  const says = `${countText(Number(info.connected_clients), 'client')} of ${max}.`
  if (process !== undefined && process.openFilesMax < max + FILES_BESIDE) {
    const advice = `Raise it before the server starts: ulimit -n ${max + FILES_BESIDE}, or LimitNOFILE= of its systemd unit; or lower maxclients.`
    return found('warning', 'open-files', `${says} The system lets the process open ${process.openFilesMax} files.`, advice) // biome-ignore format: one line
  }
  if (rejected === 0) return found('good', 'clients', says)
  return found('warning', 'clients', `${says} ${rejected} were turned away.`, 'Raise maxclients, or find who opens so many: CLIENT LIST.') // biome-ignore format: one line
}

function swap({ process }: ServiceFacts): ServiceFinding[] {
  if (process === undefined || process.swappedKb === 0) return []
  const says = `${bytesText(process.swappedKb * 1024)} of the process lie on disk (swap): reads of them take milliseconds.`
  return [found('warning', 'swap', says, 'Give the cache less memory, or the machine more.')]
}

function notAllowed(): ServiceFinding {
  return found('note', 'inside', 'This token may not look at memory, disk and limits.', "Ask again with an admin's token: --profile or --token.") // biome-ignore format: one line
}

const SLOW_MS = 20
const SOON_MS = 30 * 86_400_000
const CLOCK_MS = 500
const SHARE_OF_MACHINE = 0.8
const NEARLY_FULL = 0.9
/** What a server opens beside its clients: logs, listeners, itself. */
const FILES_BESIDE = 32
