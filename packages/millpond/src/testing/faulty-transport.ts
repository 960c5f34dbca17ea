import { type Clock, systemClock } from '../core/clock.ts'
import { seededRandom } from '../core/random.ts'
import type { Transport, TransportAddress, TransportReceiver } from '../core/transport.ts'

/** What happens to what a transport receives. Each share is between 0 and 1. */
export interface TransportFaults {
  /** Share of datagrams that are lost. Default: 0. */
  readonly loss?: number
  /** Share of datagrams that arrive twice. Default: 0. */
  readonly duplication?: number
  /** Every datagram is late by a random time up to this, so that they overtake one another. Default: 0. */
  readonly delayMs?: number
  /** Ends that are not heard, and to which no stream can be opened. Default: none. */
  readonly isCut?: (host: string, port: number) => boolean
}

/** A transport whose faults can be changed while it runs. */
export interface FaultyTransport extends Transport {
  faults: TransportFaults
  /** Datagrams that were lost by `loss`, and not heard by `isCut`. */
  readonly dropped: number
}

/**
 * Wraps a transport with real sockets, so that it loses, doubles and delays what it receives: for machines that have no
 * way to make a network bad. The choices are drawn from `seed`; when a datagram comes is up to the real network.
 */
export function faultyTransport(
  transport: Transport,
  options: { readonly faults: TransportFaults; readonly seed: number; readonly clock?: Clock },
): FaultyTransport {
  const { faults, seed, clock = systemClock } = options
  const random = seededRandom(seed)
  let dropped = 0
  const faulty: FaultyTransport = {
    faults,
    get dropped() {
      return dropped
    },
    get datagramBytesMax() {
      return transport.datagramBytesMax
    },
    open: (receiver) => transport.open(receiving(receiver)),
    send: (datagram, to) => transport.send(datagram, to),
    know: (peers) => transport.know(peers),
    connect: async (to: TransportAddress) => {
      if (faulty.faults.isCut?.(to.host, to.port))
        throw new Error(`cut off from ${to.host}:${to.streamPort} by the test`)
      return await transport.connect(to)
    },
    close: () => transport.close(),
  }

  function receiving(receiver: TransportReceiver): TransportReceiver {
    return {
      datagram(bytes, host, port) {
        const { loss = 0, duplication = 0, delayMs = 0, isCut } = faulty.faults
        if (isCut?.(host, port) || random() < loss) return void dropped++
        const copies = random() < duplication ? 2 : 1
        for (let copy = 0; copy < copies; copy++) {
          if (delayMs === 0) receiver.datagram(bytes, host, port)
          else later(Uint8Array.from(bytes), host, port, delayMs * random())
        }
      },
      stream: (stream) => receiver.stream(stream),
      failed: (error) => receiver.failed(error),
    }

    function later(bytes: Uint8Array, host: string, port: number, delayMs: number): void {
      clock.after(delayMs, () => receiver.datagram(bytes, host, port))
    }
  }

  return faulty
}
