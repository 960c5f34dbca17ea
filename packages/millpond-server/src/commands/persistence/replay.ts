/** Runs what a log or an RDB file holds, before anybody is served. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Arguments } from '../../engine/arguments.ts'
import { LogError } from '../../engine/log/log-error.ts'
import { parseFlagsNote } from '../../engine/log/log-note.ts'
import { readLog } from '../../engine/log/log-reader.ts'
import { FileSource } from '../../engine/rdb/byte-source.ts'
import { RdbError } from '../../engine/rdb/rdb-error.ts'
import { loadRdb } from '../../engine/rdb/rdb-load.ts'
import { Client } from '../client.ts'
import { execute } from '../executor.ts'
import { CLIENT_MODE } from '../modes.ts'
import type { Service } from '../service.ts'
import { SilentReply } from './silent-reply.ts'

/** What a file held. */
export interface Replayed {
  readonly keys: number
  readonly expired: number
  readonly commands: number
  /** Where the last whole command ends. */
  readonly end: number
  /** What was torn off behind that. */
  readonly torn: string | undefined
  /** See `LogRead`. */
  readonly unmarked: number
}

const RDB_NAME = 'REDIS'

/** A client that nobody hears. */
export class ReplayClient extends Client {
  constructor(service: Service) {
    super(service.nextClientId(), service)
    this.setMode(CLIENT_MODE.REPLAYING, true)
  }
}

/**
 * Reads one file: RDB, commands, or an RDB file with commands behind it.
 *
 * @param isLast whether its end may be torn
 * @throws LogError, RdbError when it is damaged
 */
export function replayFile(service: Service, path: string, isLast: boolean): Replayed {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const base = isRdb(file) ? replayRdb(service, path, file, size) : NOTHING
    if (base.end === size) return { ...base, commands: 0, torn: undefined, unmarked: 0 }
    return { ...base, ...replayCommands(service, { path, file, size, from: base.end, isLast }) }
  } finally {
    closeSync(file)
  }
}

const NOTHING = { keys: 0, expired: 0, end: 0 }

function isRdb(file: number): boolean {
  const name = Buffer.alloc(RDB_NAME.length)
  readSync(file, name, 0, name.length, 0)
  return name.toString('latin1') === RDB_NAME
}

function replayRdb(service: Service, path: string, file: number, size: number): typeof NOTHING {
  const source = new FileSource(file, 0, size)
  try {
    const library = (text: string): void => void service.scripts.functions.load(text, true)
    const { keys, expired } = loadRdb(source, service.cache, service.time.nowMs, library)
    return { keys, expired, end: source.offset }
  } catch (error) {
    if (error instanceof RdbError) throw new LogError(path, Math.max(0, error.offset), error.message)
    throw error
  }
}

function replayCommands(service: Service, source: Parameters<typeof readLog>[0]): ReturnType<typeof readLog> {
  const client = new ReplayClient(service)
  const reply = new SilentReply()
  return readLog(source, (args: Arguments) => {
    execute(client, args, reply)
    if (args.note !== undefined) follow(client, args, args.note)
    if (reply.fault?.includes('unknown command')) throw new LogError(source.path, source.from, reply.fault)
    reply.fault = undefined
  })
}

/** Gives the string that a command has just set the flags that its note says. */
function follow({ db }: ReplayClient, args: Arguments, note: string): void {
  const clientFlags = parseFlagsNote(note)
  const held = args.count > 1 ? db.peek(args.span(1)) : undefined
  if (clientFlags === undefined || held?.bytes === undefined) return
  db.setFlagged(args.span(1), held.bytes, clientFlags, held.expiresAtMs, held.form)
}
