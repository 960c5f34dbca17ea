/** One member of a replica set: a listening socket, connections, and the log applied up to some place. */

import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { BSON } from 'mongodb'
import { CommandError } from './command-error.ts'
import { Cursors } from './cursors.ts'
import { Databases } from './databases.ts'
import { type Oplog, timestampOf } from './oplog.ts'
import { type Document, encodeReply, type Request, RequestReader } from './wire.ts'

/** What answers a command. */
export type Answer = (member: Member, command: Document, connection: Socket) => Promise<Document> | Document

export class Member {
  data: Databases = new Databases()
  /** What a majority has, as far as this member has it. */
  committed: Databases = new Databases()
  readonly cursors: Cursors = new Cursors()
  /** The sequence of the first entry that is not applied. */
  appliedEnd = 0
  appliedTime: bigint
  committedEnd = 0
  committedTime: bigint
  private readonly oplog: Oplog
  private readonly answer: Answer
  private readonly sockets = new Set<Socket>()
  private readonly server: Server
  private waiting = new Set<() => void>()
  private isHeld = false
  private isSilent = false

  constructor(oplog: Oplog, answer: Answer) {
    this.oplog = oplog
    this.answer = answer
    this.appliedTime = oplog.time
    this.committedTime = oplog.time
    this.server = createServer((socket) => this.serve(socket))
    oplog.onAppend(() => this.catchUp())
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Applies nothing any more, as a secondary does that lags. */
  hold(): void {
    this.isHeld = true
  }

  release(): void {
    this.isHeld = false
    this.catchUp()
  }

  /** Takes requests and answers none, as behind a wire that is dead without anybody having said so. */
  silence(isSilent: boolean): void {
    this.isSilent = isSilent
  }

  killConnections(): void {
    for (const socket of this.sockets) socket.resetAndDestroy()
  }

  /** Ends all cursors. */
  killCursors(): void {
    this.cursors.kill()
    this.wake()
  }

  async close(): Promise<void> {
    this.killConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  /** Resolves when the log has been applied up to the time, and a majority has it where that is asked for. */
  async reached(time: bigint, isMajority: boolean): Promise<void> {
    while ((isMajority ? this.committedTime : this.appliedTime) < time)
      await new Promise<void>((resolve) => this.waiting.add(resolve))
  }

  /** Forgets what no majority had. */
  rollBack(): void {
    this.data = this.committed.fork()
    this.appliedEnd = this.committedEnd
  }

  /** Resolves with true when something may have changed, with false after `ms`. */
  async changed(ms: number, socket: Socket): Promise<boolean> {
    if (ms <= 0 || socket.destroyed) return false
    return await new Promise((resolve) => {
      const woken = (): void => {
        clearTimeout(timer)
        this.waiting.delete(woken)
        resolve(true)
      }
      const timer = setTimeout(() => {
        this.waiting.delete(woken)
        resolve(false)
      }, ms)
      this.waiting.add(woken)
    })
  }

  private catchUp(): void {
    if (this.isHeld) return
    while (this.appliedEnd < this.oplog.end) {
      const entry = this.oplog.at(this.appliedEnd++)
      this.data.apply(entry)
      this.appliedTime = entry.time
    }
    while (this.committedEnd < this.oplog.committedEnd) {
      const entry = this.oplog.at(this.committedEnd++)
      this.committed.apply(entry)
      this.committedTime = entry.time
    }
    this.wake()
  }

  private wake(): void {
    const { waiting } = this
    this.waiting = new Set()
    for (const resolve of waiting) resolve()
  }

  private serve(socket: Socket): void {
    const reader = new RequestReader()
    this.sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('data', (chunk) => {
      for (const request of reader.read(chunk)) void this.respond(request, socket)
    })
  }

  private async respond(request: Request, socket: Socket): Promise<void> {
    let reply: Document
    try {
      reply = { ok: 1, ...(await this.answer(this, request.command, socket)) }
    } catch (error) {
      reply = error instanceof CommandError ? error.reply : new CommandError(8, 'UnknownError', String(error)).reply
    }
    const time = timestampOf(this.appliedTime)
    reply.operationTime = time
    reply.$clusterTime = {
      clusterTime: time,
      signature: { hash: new BSON.Binary(Buffer.alloc(20)), keyId: BSON.Long.ZERO },
    }
    if (!request.isSilent && !socket.destroyed && !this.isSilent) socket.write(encodeReply(request, reply))
  }
}
