/**
 * The Tcl suite of Redis 7.0 (from the distribution's source package): against a running server ("external"), and with
 * a stand-in for `redis-server` that the suite starts and stops itself ("spawn"), which units about configuration need.
 */
import { spawn } from 'node:child_process'
import { chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { onPath } from '../servers/find.ts'
import { servicePort } from '../servers/port.ts'
import { standIn, startContender } from './contender.ts'
import { exceptionsOf } from './exceptions.ts'
import { debianSource } from './sources.ts'
import { type Contender, type Failure, merge, NotHere, type Outcome, type Request, type Suite } from './suite.ts'

const EXTERNAL = [
  ...['protocol', 'keyspace', 'scan', 'type/string', 'type/incr', 'type/list', 'type/list-3', 'type/set', 'type/zset'],
  ...['type/hash', 'type/stream', 'type/stream-cgroups', 'sort', 'expire', 'multi', 'quit', 'pubsub', 'scripting'],
  ...['tracking', 'introspection', 'introspection-2', 'bitops', 'bitfield', 'pause', 'latency-monitor', 'slowlog'],
  ...['dump', 'other', 'info-command', 'lazyfree', 'functions', 'geo', 'hyperloglog'],
]
const SPAWNED = [
  ...['auth', 'acl', 'acl-v2', 'maxmemory', 'limits', 'obuf-limits', 'info', 'pubsubshard', 'querybuf', 'networking'],
  ...['client-eviction', 'memefficiency', 'tracking', 'introspection', 'other', 'expire', 'multi'],
  ...['integration/redis-cli', 'integration/redis-benchmark'],
]
/** Line "C" of the facts: what a server without Redis's own debugging, replication and snapshots can be asked. */
const TAGS =
  '-slow -needs:debug -needs:repl -needs:save -needs:config-maxmemory -needs:config-resetstat -needs:pfdebug -needs:reset'
const UNIT_SECONDS = 300

export const redisExternal: Suite = {
  name: 'redis',
  summary: "Redis 7.0's Tcl suite against a running server",
  units: EXTERNAL,
  run: (request) => eachUnit(request, EXTERNAL, external),
}

export const redisSpawned: Suite = {
  name: 'redis-spawn',
  summary: "Redis 7.0's Tcl suite with a stand-in for redis-server, which the suite configures and restarts",
  units: SPAWNED,
  run: (request) => eachUnit(request, SPAWNED, spawned),
}

async function eachUnit(
  request: Request,
  all: readonly string[],
  run: (tree: string, unit: string, request: Request) => Promise<Outcome>,
): Promise<Outcome> {
  if (onPath(['tclsh']) === undefined) throw new NotHere('tclsh is not installed (Debian, Ubuntu: apt-get install tcl)')
  const units = request.units.length > 0 ? request.units : all
  const outcomes: Outcome[] = []
  for (const unit of units) {
    const tree = debianSource('redis', request.say)
    try {
      const outcome = await run(tree, unit, request)
      request.say(`${unit}: ${outcome.passed.length} passed, ${outcome.failed.length} failed`)
      outcomes.push(outcome)
    } finally {
      rmSync(tree, { recursive: true, force: true })
    }
  }
  return merge(outcomes)
}

async function external(tree: string, unit: string, { contender }: Request): Promise<Outcome> {
  await using server = await startContender(contender)
  const where = [
    // Its own port is found below this one.
    ...['--baseport', `${await servicePort()}`],
    '--host',
    '127.0.0.1',
    '--port',
    `${server.port}`,
    '--singledb',
    '--ignore-encoding',
    '--ignore-digest',
  ]
  return await runUnit(tree, unit, [...where, '--tags', TAGS, ...skipped('redis', unit, contender)], () => server.log())
}

async function spawned(tree: string, unit: string, { contender }: Request): Promise<Outcome> {
  const stand = join(tree, 'src/redis-server')
  writeFileSync(stand, standIn(contender))
  chmodSync(stand, 0o755)
  for (const tool of ['redis-cli', 'redis-benchmark']) symlinkSync(`/usr/bin/${tool}`, join(tree, 'src', tool))
  const base = await servicePort()
  const ports = ['--baseport', `${base}`, '--portcount', '400']
  const tags = ['--tags', '-slow', ...skipped('redis-spawn', unit, contender)]
  return await runUnit(tree, unit, ['--clients', '1', ...tags, ...ports], () => '')
}

/** A test that ends its unit by failing would take the others with it. */
function skipped(suite: string, unit: string, contender: Contender): string[] {
  if (contender === 'redis') return []
  const skips = exceptionsOf(suite, unit).filter(({ isRun }) => !isRun)
  return skips.flatMap(({ tests }) => tests.flatMap((test) => ['--skiptest', test]))
}

async function runUnit(tree: string, unit: string, args: readonly string[], log: () => string): Promise<Outcome> {
  const child = spawn('./runtest', ['--single', unit.includes('integration/') ? unit : `unit/${unit}`, ...args], {
    cwd: tree,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)))
  const limit = setTimeout(() => endGroup(child.pid), UNIT_SECONDS * 1000)
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(limit)
  endGroup(child.pid)
  return read(output, unit, log)
}

/** The suite starts processes of its own: all of them are in its group. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}

function read(raw: string, unit: string, log: () => string): Outcome {
  const output = stripVTControlCharacters(raw)
  const passed: string[] = []
  const failed: Failure[] = []
  const notRun: string[] = []
  const lines = /^\[(ok|err|exception|ignore|skip|timeout)\]:? ?(.*)\n((?:[^[\n].*\n)*)/gm
  for (const [, verdict, rest, more] of output.matchAll(lines)) {
    const name = `${unit}: ${rest!.replace(/ \(\d+ ms\)$/, '')}`
    if (verdict === 'ok') passed.push(name)
    else if (verdict === 'ignore' || verdict === 'skip') notRun.push(name)
    else failed.push({ name, why: more!.trim() || rest! })
  }
  const ended = /All tests passed without errors|!!! WARNING The following tests failed/.test(output)
  if (!ended)
    failed.push({ name: `${unit}: the unit did not end`, why: `${output.slice(-1500)}\n${log().slice(-1500)}` })
  return { passed, failed, notRun }
}
