/** A worker: a thread that accepts connections, and runs commands on strings in the cache of the home thread. */
import type { Socket } from 'node:net'
import { CommandTable } from '../commands/command-table.ts'
import { Configuration } from '../commands/configuration/configuration.ts'
import { Host } from '../commands/host.ts'
import type { Service } from '../commands/service.ts'
import { Statistics } from '../commands/statistics.ts'
import { COMMANDS } from '../commands/table.ts'
import { EngineTime } from '../engine/time.ts'
import type { ByteProtocol } from '../protocols/byte-protocol.ts'
import { Listener } from '../protocols/listener.ts'
import type { PortSharing } from '../protocols/place.ts'
import { Port } from '../protocols/port.ts'
import { TOO_MANY } from '../protocols/resp/protocol.ts'
import { ReplyWriter } from '../protocols/resp/reply-writer.ts'
import { SharedInput } from '../protocols/shared-input.ts'
import { Upkeep } from '../protocols/upkeep.ts'
import { LETTER, type Letter, Mail, type Reader } from './mail.ts'
import { Needs } from './needs.ts'
import { columnsOf, publish } from './tally.ts'
import type { CacheRules, HomeNote, WorkerNote, WorkerTask } from './task.ts'
import { WorkerTurnstile } from './turnstile.ts'
import { WorkerConnection } from './worker-connection.ts'
import { WorkerSharing } from './worker-sharing.ts'

const PIECE_BYTES = 256 * 1024
const REPORT_EVERY_MS = 100
/** Home hears of collections that are gone before that when there are so many. */
const RELEASED_MAX = 256

/** What a worker counts, with the errors by their texts, which home is told. */
class WorkerStatistics extends Statistics {
  errorTexts: string[] = []

  override error(text: string): void {
    super.error(text)
    this.errorTexts.push(text)
  }
}

/**
 * It has a service of its own over the arena of home's, with no clients but its connections, and nobody in it who listens to changes:
 * while somebody does at home, the turnstile is closed. What home's configuration says of connections and strings is
 * followed.
 */
export class WorkerThread implements ByteProtocol, Reader {
  readonly tooMany: Buffer = TOO_MANY
  readonly service: Service
  readonly needs: Needs
  readonly turnstile: WorkerTurnstile
  readonly mail: Mail
  /** All connections write their answers here in turn. */
  readonly writer: ReplyWriter = new ReplyWriter(PIECE_BYTES)
  readonly #task: WorkerTask
  readonly #host: Host
  readonly #statistics: WorkerStatistics
  readonly #upkeep: Upkeep
  readonly #connections = new Map<number, WorkerConnection>()
  readonly #input = new SharedInput()
  readonly #listening: { stop(): void; close(): Promise<void> }[] = []
  #lastPeer = 0
  #active = new Set<WorkerConnection>()
  #released: number[] = []
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(task: WorkerTask) {
    this.#task = task
    const commands = new CommandTable(COMMANDS)
    const configuration = new Configuration()
    for (const [name, value] of task.configuration) configuration.start(name, value)
    const databases = configuration.number('databases')
    this.#statistics = new WorkerStatistics(commands.entries.length, columnsOf(task.tally, databases))
    this.#host = new Host({
      time: new EngineTime(),
      commands,
      configuration,
      bytesMax: task.capacity,
      cacheSharing: task.items,
      statistics: this.#statistics,
    })
    this.service = this.#host.home
    const { cache } = this.service
    this.needs = new Needs(commands)
    this.service.sharing = new WorkerSharing(this.needs)
    this.turnstile = new WorkerTurnstile(task.turnstile, task.number, cache.member)
    this.mail = new Mail(task.port, this)
    this.#upkeep = new Upkeep(this.#host)
    cache.onRelease = (number) => void this.#released.push(number)
    this.#rule(task.rules)
  }

  /** Accepts connections. */
  async start(): Promise<void> {
    const { listening } = this.#task
    if (listening === undefined) await this.#openPort()
    else for (const fd of listening) await this.#openSocket(fd)
    this.#upkeep.start()
    this.#timer = setInterval(() => this.report(), REPORT_EVERY_MS)
    this.#note({ about: 'ready' })
  }

  connect(socket: Socket): WorkerConnection {
    const connection = new WorkerConnection(this, socket, ++this.#lastPeer)
    this.#connections.set(connection.number, connection)
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    const address = { remoteAddress, remotePort, localAddress, localPort }
    this.#note({ about: 'peer', peer: connection.number, address })
    if (this.#stopped) connection.close('now')
    return connection
  }

  /** Goes into the cache. `false`: home does not want anybody there. */
  enter(): boolean {
    if (!this.turnstile.enter()) return false
    if (this.turnstile.hasNews) {
      for (const database of this.service.databases) database.follow()
      this.mail.readNow()
    }
    return true
  }

  leave(): void {
    this.turnstile.leave()
  }

  /** Commands of a connection were executed. */
  worked(connection: WorkerConnection): void {
    this.#active.add(connection)
    publish(this.#task.tally, this.service, connection.db)
    if (this.#released.length > RELEASED_MAX) this.report()
  }

  /** What one peer goes on to ask at home is to know of the errors that it was answered here. */
  tellErrors(): void {
    if (this.#statistics.errorTexts.length + this.service.slowLog.commands.length > 0) this.report()
  }

  /** Tells home what it does not see. */
  report(): void {
    const { slowLog } = this.service
    const { errorTexts } = this.#statistics
    const slow = slowLog.commands.map((command) => [Number(command.address), command] as const).reverse()
    const pending = this.#pending()
    const facts = this.#active.size + pending.length + errorTexts.length + this.#released.length + slow.length
    if (facts === 0) return
    const active = [...this.#active].flatMap(({ number, lastCommand }) => [number, lastCommand?.id ?? -1])
    this.#note({ about: 'report', active, pending, errors: errorTexts, released: this.#released, slow })
    this.#active = new Set()
    this.#statistics.errorTexts = []
    this.#released = []
    slowLog.clear()
  }

  /** Peers of which home does not know how much waits for them. */
  #pending(): number[] {
    const pending: number[] = []
    for (const connection of this.#connections.values()) {
      const { number, outputBytes, told } = connection
      if (outputBytes === told) continue
      connection.told = outputBytes
      pending.push(number, outputBytes)
    }
    return pending
  }

  left(connection: WorkerConnection): void {
    this.#connections.delete(connection.number)
    this.#active.delete(connection)
    this.mail.write(LETTER.GONE, connection.number)
  }

  letter(kind: Letter, peer: number, one: number, other: number, bytes: Buffer): void {
    const connection = this.#connections.get(peer)
    if (connection === undefined) return
    if (kind === LETTER.BYTES) connection.answer(bytes)
    else if (kind === LETTER.STATE) connection.follow(one, other)
    else connection.close(kind === LETTER.GONE ? 'now' : 'after the answer')
  }

  note(note: HomeNote): void {
    if (note.about === 'parameter') this.service.configuration.start(note.name, note.value)
    else if (note.about === 'rules') this.#rule(note.rules)
    else if (note.about === 'stop') this.#stop()
    else void this.#end()
  }

  #rule(rules: CacheRules): void {
    Object.assign(this.service.cache, rules)
  }

  /** Sockets that home has opened are not closed as long as others need them: here nobody is accepted any more. */
  #stop(): void {
    this.#stopped = true
    if (this.#task.listening === undefined) for (const each of this.#listening) each.stop()
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer)
    this.#upkeep.stop()
    await Promise.all(this.#listening.map((each) => each.close()))
    this.report()
    this.mail.close()
  }

  async #openPort(): Promise<void> {
    const port = new Port(this.service.configuration, 'port', () => this.#listener('more'))
    this.#listening.push(port)
    await port.start(undefined)
  }

  async #openSocket(fd: number): Promise<void> {
    const listener = this.#listener('none')
    this.#listening.push(listener)
    await listener.listen({ fd })
  }

  #listener(sharing: PortSharing): Listener {
    return new Listener(this.#host, this, this.#input, undefined, sharing)
  }

  #note(note: WorkerNote): void {
    this.mail.note(note)
  }
}
