/** The suite `server-backup`: a cache of a million items is backed up under writes, emptied and restored; Redis loads the same file. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { seededRandom } from '../../../packages/millpond/src/core/random.ts'
import { backUp } from '../../../packages/millpond-server/src/backups/backup.ts'
import { FolderVault } from '../../../packages/millpond-server/src/backups/folder-vault.ts'
import { restore } from '../../../packages/millpond-server/src/backups/restore.ts'
import { Client } from '../../../packages/millpond-server/src/commands/client.ts'
import { CommandTable } from '../../../packages/millpond-server/src/commands/command-table.ts'
import { execute } from '../../../packages/millpond-server/src/commands/executor.ts'
import { SilentReply } from '../../../packages/millpond-server/src/commands/persistence/silent-reply.ts'
import { Service } from '../../../packages/millpond-server/src/commands/service.ts'
import { COMMANDS } from '../../../packages/millpond-server/src/commands/table.ts'
import { Arguments } from '../../../packages/millpond-server/src/engine/arguments.ts'
import { digestOf } from '../../../packages/millpond-server/src/engine/digest.ts'
import { Span } from '../../../packages/millpond-server/src/engine/span.ts'
import { EngineTime } from '../../../packages/millpond-server/src/engine/time.ts'
import { startRedis } from '../../../tools/servers/redis.ts'
import { ask } from '../../../tools/servers/resp.ts'
import { atMost, exactly, type Row, row, type Suite } from '../suite.ts'
import { ThreadPauses } from './server/thread-pauses.ts'

const KEYS = 1_000_000
/** Written to while the backup is made: it may have them as they were or as they are. */
const BUSY = 100_000
const SAMPLES = 20_000
const DAY_MS = 86_400_000
/** While Redis takes the digest of a million keys it answers nobody. */
const ANSWER_MS = 180_000

export const suite: Suite = {
  name: 'server-backup',
  summary:
    'backup of a million items under writes, everything deleted, restored: equal by digest; the same in redis-server',
  options: {},
  async run(context) {
    const count = context.quick ? KEYS / 20 : KEYS
    const folder = mkdtempSync(join(tmpdir(), 'millpond-backup-'))
    try {
      return await measure(count, folder, context.progress)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function measure(count: number, folder: string, progress: (line: string) => void): Promise<Row[]> {
  const service = new Service({ time: new EngineTime(), commands: new CommandTable(COMMANDS), bytesMax: 4 * 2 ** 30 })
  const cache = new Filled(service)
  const vault = new FolderVault(folder)
  progress('filling')
  cache.fill(count)
  const before = digestOf(service.databases)
  const expiries = cache.expiries(count)
  cache.fillBusy()

  progress('backing up under writes')
  const pauses = new ThreadPauses()
  const backing = backUp(service, vault, { name: 'dump.rdb' })
  const writes = await cache.writeUntil(backing)
  const record = await backing
  const backupPauseMs = pauses.end()

  progress('restoring')
  cache.run('FLUSHALL')
  const beganMs = performance.now()
  const restorePauses = new ThreadPauses()
  await restore(service, vault, record.name)
  const restorePauseMs = restorePauses.end()
  const restoredMs = performance.now() - beganMs
  cache.removeBusy()
  const after = digestOf(service.databases)
  const late = cache.expiries(count).reduce((most, at, key) => Math.max(most, Math.abs(at - expiries[key]!)), 0)

  progress('redis-server loads it')
  const inRedis = await digestInRedis(folder)
  const million = record.keys / 1e6
  return [
    row('keys in the backup', record.keys, 'keys'),
    row('writes meanwhile', writes, 'commands'),
    row('backup, on a machine that others use too', record.tookMs / 1000 / million, 's a million'),
    row('size', record.bytes / 2 ** 20, 'MiB'),
    row('longest pause of the backup, in time of the processor', backupPauseMs, 'ms', atMost(20)),
    row('restore, the same way', restoredMs / 1000 / million, 's a million'),
    row('longest pause of the restore, in time of the processor', restorePauseMs, 'ms', atMost(20)),
    row('what was not written to is equal by digest', Number(after === before), '', exactly(1)),
    row('expiries, furthest from what they were', late, 'ms', atMost(1000)),
    row('redis-server has the same digest', Number(inRedis === before), '', exactly(1)),
  ]
}

/** The busy ones are taken away there, too. */
async function digestInRedis(folder: string): Promise<unknown> {
  const dir = mkdtempSync(join(tmpdir(), 'millpond-redis-'))
  cpSync(join(folder, 'dump.rdb'), join(dir, 'dump.rdb'))
  const redis = await startRedis({ program: 'redis-server', dir, args: ['--enable-debug-command', 'yes'] })
  try {
    const address = { port: redis.port, timeoutMs: ANSWER_MS }
    const script = "for at = tonumber(ARGV[1]), tonumber(ARGV[2]) do redis.call('DEL', 'busy:' .. at) end"
    for (let at = 0; at < BUSY; at += 1000) await ask(address, 'EVAL', script, 0, at, at + 999)
    return await ask(address, 'DEBUG', 'DIGEST')
  } finally {
    await redis.destroy()
    rmSync(dir, { recursive: true, force: true })
  }
}

class Filled {
  readonly #client: Client
  readonly #service: Service
  readonly #reply = new SilentReply()
  readonly #random = seededRandom(11)

  constructor(service: Service) {
    this.#service = service
    this.#client = new Client(1, service)
  }

  run(...words: readonly string[]): void {
    execute(this.#client, Arguments.of(words), this.#reply)
    if (this.#reply.fault !== undefined) throw new Error(this.#reply.fault)
  }

  /** Strings for the most part, a quarter of which expire, and a collection of each kind now and then. */
  fill(count: number): void {
    const inADay = Date.now() + DAY_MS
    for (let at = 0; at < count; at++) {
      if (at % 100 === 0) this.#collection(at)
      else if (at % 4 === 1) this.run('SET', `still:${at}`, `value ${at} `.repeat(8), 'PXAT', String(inADay + at))
      else this.run('SET', `still:${at}`, `value ${at} `.repeat(8))
    }
  }

  #collection(at: number): void {
    const key = `still:${at}`
    const name = String(at)
    const kinds = [
      ['RPUSH', key, 'a', name, 'b'],
      ['SADD', key, 'a', name, '7'],
      ['ZADD', key, '1.5', 'a', name, 'b'],
      ['HSET', key, 'a', name, 'b', 'c'],
      ['XADD', key, '1-1', 'a', name],
    ]
    this.run(...kinds[(at / 100) % kinds.length]!)
  }

  fillBusy(): void {
    for (let at = 0; at < BUSY; at += 2) this.run('SET', `busy:${at}`, 'before')
  }

  removeBusy(): void {
    for (let at = 0; at < BUSY; at++) this.run('DEL', `busy:${at}`)
  }

  /** Writes in small batches, as they come from sockets, until the work is done. Returns how often. */
  async writeUntil(work: Promise<unknown>): Promise<number> {
    let isDone = false
    void work.finally(() => {
      isDone = true
    })
    let writes = 0
    for (; !isDone; await turn()) {
      for (let left = 32; left > 0; left--, writes++) this.#write()
      this.#service.endBatch()
    }
    return writes
  }

  #write(): void {
    const key = `busy:${Math.floor(this.#random() * BUSY)}`
    const choice = this.#random()
    if (choice < 0.6) this.run('SET', key, String(choice), 'EX', '1000')
    else if (choice < 0.8) this.run('DEL', key)
    else this.run('APPEND', key, 'more')
  }

  /** Of some keys. */
  expiries(count: number): number[] {
    const [db] = this.#service.databases
    const step = Math.max(1, Math.floor(count / SAMPLES)) | 1
    const found: number[] = []
    for (let at = 1; at < count; at += step * 4) found.push(db!.expiresAtMs(Span.of(`still:${at}`)))
    return found.filter(Number.isFinite)
  }
}
