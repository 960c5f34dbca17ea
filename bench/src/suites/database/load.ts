/**
 * The client of the suite `database`, in a process of its own: a number of connections, each of which sends the next
 * request when it has the answer to the last one (a closed loop).
 */

import type { Contender } from '../../alternate.ts'
import { quantile } from '../../statistics.ts'
import { HttpConnection } from './http-connection.ts'

export interface Argument {
  readonly name: string
  readonly port: number
  readonly paths: readonly string[]
  readonly connections: number
  /** How long a turn sends requests. */
  readonly turnMs: number
}

/** Opens the connections. A turn measures requests per second, and milliseconds of the middle and of the slowest hundredth. */
export async function prepare(argument: Argument): Promise<Contender> {
  const { name, port, connections } = argument
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(port)))
  return {
    name,
    turn: () => turn(open, argument),
    close: () => {
      for (const connection of open) connection.close()
    },
  }
}

async function turn(open: readonly HttpConnection[], { paths, turnMs }: Argument): Promise<Record<string, number>> {
  const latencies: number[] = []
  const startMs = performance.now()
  const endMs = startMs + turnMs
  let next = 0
  const client = async (connection: HttpConnection): Promise<void> => {
    for (let sentMs = performance.now(); sentMs < endMs; ) {
      const status = await connection.get(paths[next++ % paths.length]!)
      if (status !== 200) throw new Error(`the app answered ${status}`)
      const answeredMs = performance.now()
      latencies.push(answeredMs - sentMs)
      sentMs = answeredMs
    }
  }
  await Promise.all(open.map(client))
  const seconds = (performance.now() - startMs) / 1000
  return { rate: latencies.length / seconds, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}
