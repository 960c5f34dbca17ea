/** Results that are fetched in batches. */
import { BSON } from 'mongodb'
import type { ChangeStreamCursor } from './change-streams.ts'
import { CommandError } from './command-error.ts'
import type { Document } from './wire.ts'

interface OpenCursor {
  readonly namespace: string
  readonly rest: Document[]
  readonly stream?: ChangeStreamCursor
}

const BATCH = 101

export class Cursors {
  private readonly open = new Map<number, OpenCursor>()
  private nextId = 1

  /** The first batch of a result, with a cursor for the rest. */
  first(namespace: string, documents: readonly Document[], batchSize: number = BATCH): Document {
    const rest = documents.slice(batchSize)
    const id = rest.length > 0 ? this.add({ namespace, rest }) : 0
    return { cursor: { id: BSON.Long.fromNumber(id), ns: namespace, firstBatch: documents.slice(0, batchSize) } }
  }

  firstOfStream(namespace: string, stream: ChangeStreamCursor): Document {
    const { events, token } = stream.pull()
    const id = BSON.Long.fromNumber(this.add({ namespace, rest: [], stream }))
    return { cursor: { id, ns: namespace, firstBatch: events, postBatchResumeToken: token } }
  }

  /** @param wait waits until something may have come; resolves with false when the time is over */
  async more(command: Document, wait: () => Promise<boolean>): Promise<Document> {
    const id = Number(command.getMore)
    const { stream } = this.find(id)
    if (stream === undefined) return this.nextBatch(id, Number(command.batchSize ?? BATCH))
    let batch = stream.pull()
    while (batch.events.length === 0 && (await wait())) {
      this.find(id)
      batch = stream.pull()
    }
    if (stream.hasEnded) this.open.delete(id)
    return {
      cursor: {
        id: BSON.Long.fromNumber(stream.hasEnded ? 0 : id),
        ns: `${String(command.$db)}.${String(command.collection)}`,
        nextBatch: batch.events,
        postBatchResumeToken: batch.token,
      },
    }
  }

  kill(ids: readonly unknown[] = [...this.open.keys()]): void {
    for (const id of ids) this.open.delete(Number(id))
  }

  private add(cursor: OpenCursor): number {
    this.open.set(this.nextId, cursor)
    return this.nextId++
  }

  private find(id: number): OpenCursor {
    const found = this.open.get(id)
    if (!found)
      throw new CommandError(43, 'CursorNotFound', `cursor id ${id} not found`, ['ResumableChangeStreamError'])
    return found
  }

  private nextBatch(id: number, batchSize: number): Document {
    const { namespace, rest } = this.find(id)
    const nextBatch = rest.splice(0, batchSize)
    if (rest.length === 0) this.open.delete(id)
    return { cursor: { id: BSON.Long.fromNumber(rest.length > 0 ? id : 0), ns: namespace, nextBatch } }
  }
}
