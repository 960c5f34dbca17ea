/** What all connections of an event loop have answered in one turn of it: it goes out at the end of the turn. */
import type { ByteWriter } from './byte-writer.ts'
import type { Output } from './output.ts'
import { TURNS, type Turns } from './turns.ts'

interface Departure {
  readonly output: Output
  readonly bytes: Buffer
}

/**
 * A peer that sleeps is woken by the write of its answer, and to wake somebody costs more than to write. When all are answered
 * one after the other, the first write wakes the peer of many connections, and the others find it awake; that is also
 * the moment at which everything that had come has been executed.
 *
 * The answers lie one behind the other in the memory of one writer, which begins anew when they are sent.
 */
export class Departures {
  /** Where connections write in turn. */
  readonly writer: ByteWriter
  readonly turns: Turns
  #waiting: Departure[] = []
  /** Whether something of what was sent still lies in the writer's memory. */
  #isBusy = false
  readonly #whenOver = (): void => this.flush()

  constructor(writer: ByteWriter, turns: Turns = TURNS) {
    this.writer = writer
    this.turns = turns
  }

  /** Takes what was written since the last call: it is sent at the end of the turn, or at once when much has gathered. */
  add(output: Output): void {
    const { writer } = this
    if (this.#waiting.length === 0) this.turns.whenOver(this.#whenOver)
    this.#waiting.push({ output, bytes: writer.last })
    writer.next()
    if (writer.isHalfFull) this.flush()
  }

  /** Sends now what waits. */
  flush(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const { output, bytes } of waiting) if (!output.depart(bytes)) this.#isBusy = true
    if (this.writer.length === 0) this.reset()
  }

  /** Lets the writer begin anew, when all that it has written is on its way. */
  reset(): void {
    if (this.#isBusy) this.writer.renew()
    else this.writer.reuse()
    this.#isBusy = false
  }
}
