import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { type Clock, sleep, systemClock } from '../../core/clock.ts'
import { clusterId } from '../security/keyring.ts'
import { isEcho, readEcho, writeQuestion } from './echo.ts'

/** What a path to a member is like. */
export interface PathMeasure {
  /** The least number of routers and hosts that a datagram passes to get there, the last one included; `undefined`: no answer. */
  readonly hops: number | undefined
  /** The longest datagram of those tried that came whole; `undefined`: none did. It may have been sent in pieces. */
  readonly datagramBytes: number | undefined
  /** The shortest round trip, in milliseconds. */
  readonly roundTripMs: number | undefined
}

const LENGTHS: readonly number[] = [512, 1200, 1400, 1472, 4000, 8900, 65_000]
const HOPS_MAX = 16
const REPEATS = 3

/**
 * Measures the path to a member of a mesh, by questions that every member answers: how far it is, how long a datagram may be, how long
 * the way takes. It takes half a second.
 *
 * @param mesh the name of the mesh
 * @param to the own address of the member: `PeerInfo.address`
 */
export async function measurePath(
  mesh: string,
  to: { readonly host: string; readonly port: number },
  clock: Clock = systemClock,
): Promise<PathMeasure> {
  const cluster = clusterId(mesh)
  const socket = createSocket(isIPv6(to.host) ? 'udp6' : 'udp4')
  const asked = new Map<number, { readonly random: Buffer; readonly sentMs: number; readonly ask: Ask }>()
  const answers: { readonly ask: Ask; readonly tookMs: number }[] = []
  socket.on('error', () => {})
  socket.on('message', (bytes) => {
    const echo = isEcho(bytes) ? readEcho(bytes, cluster) : undefined
    const question = echo?.kind === 'heard' ? asked.get(echo.question) : undefined
    if (!question?.random.equals(echo!.random)) return
    asked.delete(echo!.question)
    answers.push({ ask: question.ask, tookMs: clock.monotonic() - question.sentMs })
  })
  try {
    socket.bind(0)
    await once(socket, 'listening')
    for (const ask of questions()) {
      const number = asked.size + answers.length + 1
      const datagram = writeQuestion('to one', cluster, number, ask.length)
      asked.set(number, { random: Buffer.from(datagram.subarray(16, 24)), sentMs: clock.monotonic(), ask })
      await sendWithin(socket, ask.hops, datagram, to)
    }
    await sleep(clock, ANSWER_MS)
  } finally {
    socket.close()
  }
  const least = (numbers: readonly number[]) => (numbers.length === 0 ? undefined : Math.min(...numbers))
  const far = answers.filter(({ ask }) => ask.hops === HOPS_MAX)
  return {
    hops: least(answers.map(({ ask }) => ask.hops)),
    datagramBytes: far.length === 0 ? undefined : Math.max(...far.map(({ ask }) => ask.length)),
    roundTripMs: least(far.map(({ tookMs }) => tookMs)),
  }
}

interface Ask {
  readonly length: number
  readonly hops: number
}

function* questions(): Iterable<Ask> {
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    for (let hops = 1; hops < HOPS_MAX; hops++) yield { length: LENGTHS[0]!, hops }
    for (const length of LENGTHS) yield { length, hops: HOPS_MAX }
  }
}

/** Too long for the interface, or no route: that is an answer too. */
async function sendWithin(
  socket: Socket,
  hops: number,
  datagram: Buffer,
  to: { readonly host: string; readonly port: number },
): Promise<void> {
  socket.setTTL(hops)
  await new Promise<void>((resolve) => socket.send(datagram, to.port, to.host, () => resolve()))
}

const ANSWER_MS = 300
