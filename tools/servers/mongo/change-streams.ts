/** What `$changeStream` answers: entries of the log as events, with tokens to go on from. */
import { aggregate } from 'mingo'
import { CommandError } from './command-error.ts'
import { copyOf, type Databases, idKey } from './databases.ts'
import { type Entry, type Oplog, timeOf, timestampOf } from './oplog.ts'
import type { Document } from './wire.ts'

/** What a stream watches. */
export type StreamScope = { readonly database?: string; readonly collection?: string }

export interface StreamParts {
  readonly oplog: Oplog
  /** How far the member has applied what a majority has: nothing after it is told. */
  readonly committedEnd: () => number
  readonly data: Databases
  readonly scope: StreamScope
  /** The `$changeStream` stage, and those after it. */
  readonly options: Document
  readonly pipeline: readonly Document[]
}

/** A token is the time, whether it names an event (80) or a mark between events (00), and a place in the log. */
const EVENT = '80'
const MARK = '00'

const BATCH_MAX = 1000
/** Told only to who asks for expanded events. */
const EXPANDED = ['create', 'modify']
const ENDS_A_COLLECTION = ['drop', 'rename', 'dropDatabase']

export class ChangeStreamCursor {
  private readonly parts: StreamParts
  private next: number
  private token: Document
  /** The stream was invalidated: nothing comes any more. */
  hasEnded = false

  constructor(parts: StreamParts) {
    this.parts = parts
    this.next = startOf(parts)
    this.token = (parts.options.resumeAfter ?? parts.options.startAfter ?? this.mark()) as Document
  }

  /** The events that are there by now, and the token from which the stream goes on after them. */
  pull(): { readonly events: Document[]; readonly token: Document } {
    const { oplog, committedEnd, pipeline } = this.parts
    const events: Document[] = []
    while (this.next < committedEnd() && events.length < BATCH_MAX && !this.hasEnded) {
      const entry = oplog.at(this.next++)
      const told = this.eventsOf(entry).flatMap((event) => throughPipeline(event, pipeline))
      events.push(...told)
      this.token = (told.at(-1)?._id as Document | undefined) ?? this.mark(entry.time)
    }
    // A place that the log has forgotten is found out also where nothing is new.
    if (this.next < committedEnd()) oplog.at(this.next)
    return { events, token: this.token }
  }

  private mark(time: bigint = this.parts.oplog.timeBefore(this.next)): Document {
    return tokenOf(time, MARK, this.next)
  }

  private eventsOf(entry: Entry): Document[] {
    if (!this.concerns(entry)) return []
    const event = this.eventOf(entry)
    const { database, collection } = this.parts.scope
    const ends =
      collection === undefined
        ? database !== undefined && entry.kind === 'dropDatabase'
        : ENDS_A_COLLECTION.includes(entry.kind)
    if (!ends) return [event]
    this.hasEnded = true
    return [event, { _id: event._id, operationType: 'invalidate', clusterTime: event.clusterTime }]
  }

  private concerns({ kind, database, collection, to }: Entry): boolean {
    const { scope, options } = this.parts
    if (EXPANDED.includes(kind)) return options.showExpandedEvents === true
    const inScope = (place: { database: string; collection: string }) =>
      (scope.database === undefined || place.database === scope.database) &&
      (scope.collection === undefined || kind === 'dropDatabase' || place.collection === scope.collection)
    return inScope({ database, collection }) || (to !== undefined && inScope(to))
  }

  private eventOf(entry: Entry): Document {
    const { kind, database, collection, id, updateDescription, to, time, sequence } = entry
    const isDocument = ['insert', 'update', 'replace', 'delete'].includes(kind)
    return {
      _id: tokenOf(time, EVENT, sequence),
      operationType: kind,
      clusterTime: timestampOf(time),
      ns: kind === 'dropDatabase' ? { db: database } : { db: database, coll: collection },
      ...(isDocument && { documentKey: { _id: id } }),
      ...(to && { to: { db: to.database, coll: to.collection } }),
      ...(updateDescription && { updateDescription }),
      ...this.imagesOf(entry),
    }
  }

  private imagesOf({ kind, database, collection, id, before, after, hasImages }: Entry): Document {
    const stored = this.parts.data.find(database, collection)
    const images: Document = {}
    if (kind === 'insert' || kind === 'replace') images.fullDocument = after
    else if (kind === 'update') {
      const { fullDocument } = this.parts.options
      if (fullDocument === 'updateLookup') images.fullDocument = stored?.documents.get(idKey(id)) ?? null
      else if (fullDocument === 'whenAvailable') images.fullDocument = hasImages ? after : null
    }
    const wantsBefore = this.parts.options.fullDocumentBeforeChange === 'whenAvailable'
    if (wantsBefore && before !== undefined) images.fullDocumentBeforeChange = hasImages ? before : null
    return images
  }
}

function throughPipeline(event: Document, pipeline: readonly Document[]): Document[] {
  return pipeline.length === 0 ? [copyOf(event)] : (aggregate([copyOf(event)], [...pipeline]) as Document[])
}

function startOf({ oplog, options, committedEnd }: StreamParts): number {
  const { resumeAfter, startAfter, startAtOperationTime } = options
  const token = (resumeAfter ?? startAfter) as { _data?: string } | undefined
  if (token !== undefined) return placeAfter(token, oplog)
  return startAtOperationTime === undefined ? committedEnd() : oplog.sequenceAt(timeOf(startAtOperationTime))
}

function placeAfter({ _data = '' }: { _data?: string }, oplog: Oplog): number {
  const match = /^82[0-9A-F]{16}2C(80|00)([0-9A-F]{12})04$/.exec(_data)
  if (!match) throw new CommandError(260, 'InvalidResumeToken', 'Invalid resume token')
  const next = Number.parseInt(match[2]!, 16) + (match[1] === EVENT ? 1 : 0)
  if (next < oplog.end) oplog.at(next)
  return next
}

function tokenOf(time: bigint, kind: string, sequence: number): Document {
  const digits = (value: bigint | number, length: number) => value.toString(16).toUpperCase().padStart(length, '0')
  return { _data: `82${digits(time, 16)}2C${kind}${digits(sequence, 12)}04` }
}
