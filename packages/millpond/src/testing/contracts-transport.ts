import type { Transport, TransportAddress, TransportStream } from '../core/transport.ts'
import { type ContractCheck, holds, same } from './contracts.ts'

/** What the checks of a transport need. */
export interface TransportSubject {
  /** One more end of the same network, not yet open. */
  make(): Transport
  /** Resolves when what was sent before has arrived, and what waits for it has gone on. */
  delivered(): Promise<void>
}

/** An open end, and what came to it. */
interface OpenEnd {
  readonly transport: Transport
  readonly address: TransportAddress
  /** Texts of the datagrams, with the port of their sender. */
  readonly heard: string[]
  readonly streams: TransportStream[]
}

interface Given {
  readonly subject: TransportSubject
  readonly open: () => Promise<OpenEnd>
  /** Waits for a promise while the network goes on. */
  readonly during: <T>(promise: Promise<T>) => Promise<T>
}

const checks: Record<string, (given: Given) => Promise<void>> = {
  'a datagram to one reaches that one, whole, from the address of its sender': async ({ subject, open }) => {
    const [first, second, third] = [await open(), await open(), await open()]
    first.transport.know([second.address, third.address])
    first.transport.send(bytesOf('to second'), second.address)
    await subject.delivered()
    same(second.heard, [`to second ${first.address.port}`], 'what the second hears')
    same([...first.heard, ...third.heard], [], 'what the others hear')
  },

  'a datagram to all reaches all that are known': async ({ subject, open }) => {
    const [first, second, third] = [await open(), await open(), await open()]
    first.transport.know([second.address, third.address])
    await subject.delivered()
    first.transport.send(bytesOf('to all'))
    await subject.delivered()
    for (const { heard } of [second, third])
      holds(heard.includes(`to all ${first.address.port}`), 'everybody who is known hears what is sent to all')
  },

  'a datagram of `datagramBytesMax` bytes arrives whole': async ({ subject, open }) => {
    const [first, second] = [await open(), await open()]
    const text = 'x'.repeat(first.transport.datagramBytesMax)
    first.transport.send(bytesOf(text), second.address)
    await subject.delivered()
    same(second.heard, [`${text} ${first.address.port}`], 'what arrives')
  },

  'bytes of a stream arrive in order, both ways, up to an end': async ({ open, during }) => {
    const [first, second] = [await open(), await open()]
    const out = await during(first.transport.connect(second.address))
    const writing = (async () => {
      for (let piece = 0; piece < 40; piece++) await out.write(new Uint8Array(50_000).fill(piece))
      out.end()
    })()
    await during(eventually(() => second.streams.length === 1))
    const back = second.streams[0]!
    const got = await during(readAll(back))
    await during(writing)
    same(got.length, 2_000_000, 'how much arrives')
    holds(
      got.every((byte, at) => byte === Math.floor(at / 50_000)),
      'bytes arrive as they were written, in order',
    )
    await during(back.write(bytesOf('and back')))
    back.end()
    same(textOf(await during(readAll(out))), 'and back', 'what comes back after the end of the other way')
  },

  'a stream that is destroyed ends or breaks at both ends': async ({ open, during }) => {
    const [first, second] = [await open(), await open()]
    const out = await during(first.transport.connect(second.address))
    await during(eventually(() => second.streams.length === 1))
    out.destroy()
    const over = await during(
      second.streams[0]!.read().then(
        (bytes) => bytes === undefined,
        () => true,
      ),
    )
    holds(over, 'the other end sees that the stream is over')
    const refused = await during(
      out.write(bytesOf('x')).then(
        () => false,
        () => true,
      ),
    )
    holds(refused, 'nothing can be written to a stream that is destroyed')
  },

  'an end that is closed is silent: it hears nothing, sending does nothing, and no stream reaches it': async (
    given,
  ) => {
    const { subject, open, during } = given
    const [first, second] = [await open(), await open()]
    await second.transport.close()
    first.transport.send(bytesOf('too late'), second.address)
    second.transport.send(bytesOf('from the closed'), first.address)
    await subject.delivered()
    same([...first.heard, ...second.heard], [], 'what is heard')
    const refused = await during(
      first.transport.connect(second.address).then(
        () => false,
        () => true,
      ),
    )
    holds(refused, 'a stream to a closed end is refused')
    await second.transport.close()
  },

  'what is sent to nobody is lost without an error': async ({ subject, open }) => {
    const first = await open()
    first.transport.send(bytesOf('hello?'), { ...first.address, port: 9 })
    await subject.delivered()
    same(first.heard, [], 'what is heard')
  },
}

/** The promises of a transport, for its author's own tests. See `ContractCheck`. */
export const transportContract: readonly ContractCheck<TransportSubject>[] = Object.entries(checks).map(
  ([name, check]) => ({
    name,
    async run(subject) {
      const opened: Transport[] = []
      const open = async (): Promise<OpenEnd> => {
        const transport = subject.make()
        opened.push(transport)
        const heard: string[] = []
        const streams: TransportStream[] = []
        const address = await transport.open({
          datagram: (bytes, _host, port) => heard.push(`${textOf(bytes)} ${port}`),
          stream: (stream) => streams.push(stream),
          failed: (error) => heard.push(error.message),
        })
        return { transport, address, heard, streams }
      }
      try {
        await check({ subject, open, during: (promise) => during(subject, promise) })
      } finally {
        for (const transport of opened) await transport.close()
      }
    },
  }),
)

async function during<T>(subject: TransportSubject, promise: Promise<T>): Promise<T> {
  let settled = false
  const settle = () => {
    settled = true
  }
  promise.then(settle, settle)
  while (!settled) await subject.delivered()
  return await promise
}

async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1))
}

async function readAll(stream: TransportStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for (let piece = await stream.read(); piece; piece = await stream.read()) {
    pieces.push(Uint8Array.from(piece))
    length += piece.length
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
