import { type Clock, timeLimit } from '../core/clock.ts'
import { MeshError } from '../core/errors.ts'
import type { LinkStream, PeerId } from './link/link.ts'
import { valueCodec } from './wire/value-codec.ts'

/** What peers ask each other: a name, an argument, and what is answered as plain data. */
export type Answers = Readonly<Record<string, (argument: unknown, from: PeerId) => unknown>>

export interface QuestionsOptions {
  readonly connect: (to: PeerId) => Promise<LinkStream>
  readonly clock: Clock
  readonly answers: Answers
}

/** Questions to one peer, answered as data: metrics, checksums, to drop its copies. One stream each. */
export class Questions {
  readonly #options: QuestionsOptions

  constructor(options: QuestionsOptions) {
    this.#options = options
  }

  /** @throws MeshError (`ERR_MESH`) when the peer cannot be reached, does not know the question, or takes longer than 5 s */
  async ask(peer: PeerId, name: string, argument?: unknown): Promise<unknown> {
    let stream: LinkStream | undefined
    const late = (): never => {
      throw new MeshError(`peer ${peer} did not answer within ${ANSWER_MS_MAX} ms (${name})`)
    }
    try {
      return await timeLimit(
        this.#options.clock,
        ANSWER_MS_MAX,
        async () => {
          stream = await this.#options.connect(peer)
          await stream.write(valueCodec.encode([name, argument]))
          const answer = await stream.read()
          if (!answer) throw new MeshError(`peer ${peer} does not answer ${name}`)
          return valueCodec.decode(answer)
        },
        late,
      )
    } catch (cause) {
      if (cause instanceof MeshError) throw cause
      throw new MeshError(`peer ${peer} cannot be asked (${name})`, { cause })
    } finally {
      stream?.destroy()
    }
  }

  /** Answers on a stream that a peer opened. A question that is not known ends without an answer. */
  async serve(from: PeerId, stream: LinkStream): Promise<void> {
    const request = await stream.read()
    const [name, argument] = request ? (valueCodec.decode(request) as [string, unknown]) : ['', undefined]
    const { answers } = this.#options
    if (Object.hasOwn(answers, name)) await stream.write(valueCodec.encode(answers[name]!(argument, from)))
    stream.end()
  }
}

const ANSWER_MS_MAX = 5000
