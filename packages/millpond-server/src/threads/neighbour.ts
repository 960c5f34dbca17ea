/** One worker as the home thread has it: its mail, the clients of its connections, what it has counted. */
import type { MessagePort } from 'node:worker_threads'
import type { Host } from '../commands/host.ts'
import { TOO_MANY } from '../protocols/resp/protocol.ts'
import type { ReplyWriter } from '../protocols/resp/reply-writer.ts'
import { LETTER, type Letter, Mail, type Reader } from './mail.ts'
import { RemoteConnection } from './remote-connection.ts'
import { type PeerAddress, RemotePeer } from './remote-peer.ts'
import { Tally } from './tally.ts'
import type { HomeNote, WorkerNote } from './task.ts'
import type { HomeTurnstile } from './turnstile.ts'

export class Neighbour implements Reader {
  /** Resolves when it accepts connections. */
  readonly ready: Promise<void>
  readonly #host: Host
  readonly #mail: Mail
  readonly #tally: Tally
  readonly #batch: ReplyWriter
  readonly #turnstile: HomeTurnstile
  readonly #connections = new Map<number, RemoteConnection>()
  #isReady: () => void = () => {}

  constructor(host: Host, port: MessagePort, tally: Float64Array, batch: ReplyWriter, turnstile: HomeTurnstile) {
    this.#host = host
    this.#mail = new Mail(port, this)
    this.#tally = new Tally(tally)
    this.#batch = batch
    this.#turnstile = turnstile
    this.ready = new Promise((resolve) => {
      this.#isReady = resolve
    })
  }

  /** The worker knows it before it executes anything more. */
  tell(note: HomeNote): void {
    this.#mail.note(note)
    this.#announce()
  }

  /** Ends its connections, once what was answered is sent, and the thread. */
  end(): void {
    for (const { peer } of this.#connections.values()) peer.destroySoon()
    this.tell({ about: 'end' })
  }

  /** The thread is no more. */
  close(): void {
    for (const connection of [...this.#connections.values()]) this.#leave(connection)
    this.#connections.clear()
    this.gather()
    this.#mail.close()
  }

  /** Adds what it has counted to the statistics. */
  gather(): void {
    this.#tally.gather(this.#host.home)
  }

  letter(kind: Letter, peer: number, _one: number, _other: number, bytes: Buffer): void {
    const connection = this.#connections.get(peer)
    if (connection === undefined) return
    if (kind === LETTER.BYTES) connection.receive(bytes, 0, bytes.length)
    else {
      this.#connections.delete(peer)
      this.#leave(connection)
    }
  }

  note(note: WorkerNote): void {
    if (note.about === 'ready') this.#isReady()
    else if (note.about === 'peer') this.#welcome(note.peer, note.address)
    else this.#read(note)
  }

  #welcome(number: number, address: PeerAddress): void {
    const { home, clientCount } = this.#host
    const peer = new RemotePeer(this.#mail, number, address)
    home.statistics.connections++
    if (clientCount >= home.settings.clientsMax) {
      home.statistics.connectionsRefused++
      peer.end(TOO_MANY)
      return
    }
    const onNews = (): void => this.#announce()
    this.#connections.set(number, new RemoteConnection(home, peer, this.#batch, this.#mail, number, onNews))
  }

  #read({ active, pending, errors, released, slow }: WorkerNote & { readonly about: 'report' }): void {
    const { cache, statistics, slowLog, commands, time } = this.#host.home
    for (const number of released) cache.releaseCollection(number)
    for (const text of errors) statistics.error(text)
    for (let at = 0; at < active.length; at += 2) {
      const connection = this.#connections.get(active[at]!)
      if (connection === undefined) continue
      connection.activeAtMs = time.nowMs
      connection.lastCommand = commands.entries[active[at + 1]!] ?? connection.lastCommand
    }
    for (let at = 0; at < pending.length; at += 2) {
      const connection = this.#connections.get(pending[at]!)
      if (connection) connection.pending = pending[at + 1]!
    }
    for (const [peer, command] of slow) {
      const connection = this.#connections.get(peer)
      if (connection) slowLog.take(command, connection)
    }
  }

  #leave(connection: RemoteConnection): void {
    connection.peer.gone()
    connection.leave()
  }

  #announce(): void {
    this.#mail.send()
    this.#turnstile.announce()
  }
}
