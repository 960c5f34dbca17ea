/**
 * A MongoDB for tests, in this process: a replica set that speaks the wire protocol and knows of the database what a
 * cache and its feed ask of it. It is NOT a mongod: queries are answered by `mingo`, writes are never in conflict, nothing is on disk,
 * and a majority has each write at once, unless it is held back. What it is for are the faults, which a real server has seldom and
 * not when a test wants them: see the methods of `MongoTestServer`.
 *
 * Spoken: hello, CRUD with retryable writes, aggregate, sessions with `operationTime` and `afterClusterTime`, transactions, change streams (collection,
 * database, cluster; tokens, images before and after, invalidate, lost history).
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { BSON } from 'mongodb'
import { ChangeStreamCursor } from './mongo/change-streams.ts'
import { CommandError } from './mongo/command-error.ts'
import { Member } from './mongo/member.ts'
import { type Change, Oplog, timeOf, timestampOf } from './mongo/oplog.ts'
import * as reads from './mongo/reads.ts'
import { RetryableWrites } from './mongo/retryable-writes.ts'
import { Transactions } from './mongo/transactions.ts'
import type { Document } from './mongo/wire.ts'
import * as writes from './mongo/writes.ts'

/** A command that is to fail. */
export interface CommandFault {
  /** For example `'getMore'`. */
  readonly command: string
  /** How often; default once. */
  readonly times?: number
  /** The error to answer with; without one the connection is cut. */
  readonly error?: CommandError
  /** It is never answered, and the connection stays: as one that the driver has lost. */
  readonly isLost?: boolean
  /** It is run at once, and answered when this resolves. */
  readonly late?: () => Promise<unknown>
  /** Only commands for which this holds. */
  readonly where?: (command: Document) => boolean
}

export { CommandError } from './mongo/command-error.ts'

/** Starts a replica set of one primary and so many secondaries, on free ports of the loopback address. */
export async function startMongo({ secondaries = 0 }: { secondaries?: number } = {}): Promise<MongoTestServer> {
  const server = new MongoTestServer(secondaries)
  await server.listen()
  return server
}

export class MongoTestServer {
  readonly primary: Member
  readonly secondaries: readonly Member[]
  /** How often each command came. */
  readonly commands: Map<string, number> = new Map()
  private readonly oplog = new Oplog()
  private readonly transactions = new Transactions()
  private readonly retryable = new RetryableWrites()
  private readonly setName = `rs-${randomBytes(4).toString('hex')}`
  private readonly faults: { fault: CommandFault; left: number }[] = []
  private term = 1
  /** Of what comes after it streams do not tell. */
  private toldEnd = Number.POSITIVE_INFINITY

  constructor(secondaries: number) {
    const answer = this.answer.bind(this)
    this.primary = new Member(this.oplog, answer)
    this.secondaries = Array.from({ length: secondaries }, () => new Member(this.oplog, answer))
  }

  get url(): string {
    const hosts = this.members.map(({ address }) => address)
    return `mongodb://${hosts.join(',')}/shop?replicaSet=${this.setName}`
  }

  async listen(): Promise<void> {
    for (const member of this.members) await member.listen()
  }

  async close(): Promise<void> {
    for (const member of this.members) await member.close()
  }

  fail(fault: CommandFault): void {
    this.faults.push({ fault, left: fault.times ?? 1 })
  }

  killConnections(): void {
    for (const member of this.members) member.killConnections()
  }

  /** Ends all cursors of the primary. */
  killCursors(): void {
    this.primary.killCursors()
  }

  /** While it is held no majority has what is written: it waits, no stream tells of it, and an election undoes it. */
  holdMajority(isHeld: boolean): void {
    this.oplog.hold(isHeld)
  }

  /** Streams tell nothing that is new, as those of a server that has much else to do. */
  pauseStreams(isPaused: boolean): void {
    this.toldEnd = isPaused ? this.oplog.committedEnd : Number.POSITIVE_INFINITY
  }

  /** The primary is elected anew: what no majority has is undone, connections break, and the election has another id. */
  elect(): void {
    this.term++
    this.oplog.rollBack()
    this.retryable.rollBack(this.oplog.end)
    for (const member of this.members) member.rollBack()
    this.killConnections()
    this.oplog.append([FILLER])
  }

  /** Calls `listener` with each change that a majority has. */
  onCommit(listener: (change: Change) => void): void {
    this.oplog.onCommit(listener)
  }

  /** The log forgets what it has, something that no stream has read yet included. */
  rollOver(): void {
    this.holdMajority(false)
    this.oplog.append([FILLER])
    this.oplog.rollOver()
    // There is always a last entry.
    this.oplog.append([FILLER])
    this.killCursors()
  }

  private get members(): readonly Member[] {
    return [this.primary, ...this.secondaries]
  }

  private async answer(member: Member, command: Document, socket: Socket): Promise<Document> {
    const name = Object.keys(command)[0]!
    this.commands.set(name, (this.commands.get(name) ?? 0) + 1)
    const fault = this.takeFault(name, command)
    if (fault?.error) throw fault.error
    if (fault?.isLost) return await new Promise<never>(() => {})
    if (fault && fault.late === undefined) socket.resetAndDestroy()
    const { afterClusterTime } = (command.readConcern ?? {}) as Document
    if (afterClusterTime !== undefined) await member.reached(timeOf(afterClusterTime), isMajority(command))
    const reply = await this.run(member, name, command, socket)
    const isCommitted =
      name === 'commitTransaction' || (Object.hasOwn(WRITES, name) && command.autocommit === undefined)
    if (isCommitted && writeConcernOf(command) !== 1) await member.reached(this.oplog.time, true)
    await fault?.late?.()
    return reply
  }

  private takeFault(name: string, command: Document): CommandFault | undefined {
    const due = this.faults.find(
      ({ fault, left }) => left > 0 && fault.command === name && fault.where?.(command) !== false,
    )
    if (due) due.left--
    return due?.fault
  }

  private async run(member: Member, name: string, command: Document, socket: Socket): Promise<Document> {
    if (Object.hasOwn(WRITES, name)) return this.write(member, WRITES[name]!, command)
    const data = this.transactions.dataOf(command, isMajority(command) ? member.committed : member.data)
    const { cursors } = member
    switch (name.toLowerCase()) {
      case 'hello':
      case 'ismaster':
        return this.hello(member)
      case 'ping':
      case 'endsessions':
        return {}
      case 'buildinfo':
        return { version: '8.0.0', versionArray: [8, 0, 0, 0] }
      case 'find':
        return reads.find(data, cursors, command)
      case 'aggregate':
        return this.aggregate(member, command)
      case 'count':
        return reads.count(data, command)
      case 'distinct':
        return reads.distinct(data, command)
      case 'listcollections':
        return reads.listCollections(data, cursors, command)
      case 'getmore':
        return await getMore(member, command, socket)
      case 'killcursors':
        cursors.kill(command.cursors as unknown[])
        return { cursorsKilled: command.cursors }
      case 'committransaction':
        this.commit(this.transactions.end(command))
        return {}
      case 'aborttransaction':
        this.transactions.end(command)
        return {}
      case 'replsetstepdown':
        setImmediate(() => this.elect())
        return {}
      default:
        throw new CommandError(59, 'CommandNotFound', `no such command: '${name}'`)
    }
  }

  private write(member: Member, run: Write, command: Document): Document {
    if (member !== this.primary) throw new CommandError(10_107, 'NotWritablePrimary', 'not primary')
    const transaction = this.transactions.of(command, member.data)
    if (transaction !== undefined) return run(transaction, command)
    const target = { data: member.data, write: (change: Change) => this.commit([change]) }
    return this.retryable.once(
      command,
      () => run(target, command),
      () => this.oplog.end,
    )
  }

  /** Whether a collection keeps images is what it says at the time of the change. */
  private commit(changes: readonly Change[]): void {
    const hasImages = ({ database, collection }: Change) => {
      const { changeStreamPreAndPostImages } = this.primary.data.find(database, collection)?.options ?? {}
      return (changeStreamPreAndPostImages as Document | undefined)?.enabled === true
    }
    this.oplog.append(changes.map((change) => ({ ...change, hasImages: hasImages(change) })))
  }

  private aggregate(member: Member, command: Document): Document {
    const [first, ...rest] = command.pipeline as Document[]
    const options = first?.$changeStream as Document | undefined
    const data = this.transactions.dataOf(command, isMajority(command) ? member.committed : member.data)
    if (options === undefined) return reads.aggregateCommand(data, member.cursors, command)
    const database = command.$db as string
    const collection = command.aggregate === 1 ? undefined : (command.aggregate as string)
    const scope =
      options.allChangesForCluster === true ? {} : collection === undefined ? { database } : { database, collection }
    const { oplog } = this
    const committedEnd = () => Math.min(member.committedEnd, this.toldEnd)
    const stream = new ChangeStreamCursor({
      oplog,
      committedEnd,
      data: member.committed,
      scope,
      options,
      pipeline: rest,
    })
    return member.cursors.firstOfStream(`${database}.${collection ?? '$cmd.aggregate'}`, stream)
  }

  private hello(member: Member): Document {
    const isPrimary = member === this.primary
    const time = timestampOf(member.appliedTime)
    return {
      helloOk: true,
      ismaster: isPrimary,
      isWritablePrimary: isPrimary,
      secondary: !isPrimary,
      hosts: this.members.map(({ address }) => address),
      me: member.address,
      primary: this.primary.address,
      setName: this.setName,
      setVersion: 1,
      ...(isPrimary && { electionId: new BSON.ObjectId(this.term.toString(16).padStart(24, '0')) }),
      lastWrite: { opTime: { ts: time, t: BSON.Long.fromNumber(this.term) }, lastWriteDate: new Date() },
      localTime: new Date(),
      logicalSessionTimeoutMinutes: 30,
      maxBsonObjectSize: 16_777_216,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 100_000,
      minWireVersion: 0,
      maxWireVersion: 25,
      readOnly: false,
    }
  }
}

/** An entry that concerns nobody, such as a new primary writes. */
const FILLER: Change = { kind: 'create', database: 'local', collection: 'filler', options: {} }

function isMajority({ readConcern }: Document): boolean {
  return (readConcern as Document | undefined)?.level === 'majority'
}

function writeConcernOf({ writeConcern }: Document): unknown {
  return (writeConcern as Document | undefined)?.w
}

type Write = (target: writes.WriteTarget, command: Document) => Document

const WRITES: Readonly<Record<string, Write>> = {
  insert: writes.insert,
  update: writes.update,
  delete: writes.remove,
  findAndModify: writes.findAndModify,
  create(target, { $db, create, ...options }) {
    writes.makeCollection(target, String($db), String(create), collectionOptions(options))
    return {}
  },
  collMod(target, { $db, collMod, ...options }) {
    const [database, collection] = [String($db), String(collMod)]
    reads.collectionMustExist(target.data, database, collection)
    target.write({ kind: 'modify', database, collection, options: collectionOptions(options) })
    return {}
  },
  drop(target, { $db, drop }) {
    const [database, collection] = [String($db), String(drop)]
    if (target.data.find(database, collection)) target.write({ kind: 'drop', database, collection })
    return {}
  },
  dropDatabase(target, { $db }) {
    const database = String($db)
    for (const collection of target.data.names(database)) target.write({ kind: 'drop', database, collection })
    target.write({ kind: 'dropDatabase', database, collection: '' })
    return {}
  },
  renameCollection(target, { renameCollection, to }) {
    const place = placeOfName(String(to))
    target.write({ kind: 'rename', ...placeOfName(String(renameCollection)), to: place })
    return {}
  },
  createIndexes(target, { $db, createIndexes }) {
    writes.makeCollection(target, String($db), String(createIndexes))
    return { numIndexesBefore: 1, numIndexesAfter: 2 }
  },
}

async function getMore(member: Member, command: Document, socket: Socket): Promise<Document> {
  const until = performance.now() + Number(command.maxTimeMS ?? 1000)
  return await member.cursors.more(command, () => member.changed(until - performance.now(), socket))
}

/** Of a command's fields, those that a collection keeps. */
function collectionOptions({
  changeStreamPreAndPostImages,
  viewOn,
  pipeline,
  capped,
  size,
  collation,
  timeseries,
}: Document): Document {
  const options = { changeStreamPreAndPostImages, viewOn, pipeline, capped, size, collation, timeseries }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function placeOfName(name: string): { database: string; collection: string } {
  const dot = name.indexOf('.')
  return { database: name.slice(0, dot), collection: name.slice(dot + 1) }
}
