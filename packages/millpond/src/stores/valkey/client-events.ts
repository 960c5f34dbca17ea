import { errorMonitor } from 'node:events'
import type { Recognised } from './client.ts'

/** Events after which what was acknowledged a moment ago may be lost: a connection ended or began, a primary changed. */
const DOUBTFUL: Readonly<Record<Recognised['kind'], readonly string[]>> = {
  io: ['close', 'ready'],
  'io-cluster': ['close', 'ready', '+node', '-node'],
  'node-redis': ['reconnecting', 'ready', 'end', 'close'],
  'node-redis-cluster': ['node-reconnecting', 'node-ready', 'node-disconnect', 'connect', 'disconnect'],
  'node-redis-sentinel': ['topology-change', 'reconnecting', 'ready', 'end'],
}

/** A pool of node-redis tells only of errors. Who listens to those by this name does not count as handling them. */
const DOUBTFUL_OF_POOLS: readonly symbol[] = [errorMonitor]

/**
 * Calls `onDoubt` at each such event of a client. It does not listen to `'error'`, so a client without a listener for
 * that stays as its owner made it. Returns what stops it.
 */
export function watchClient({ kind, client }: Recognised, onDoubt: () => void): () => void {
  const listener = (): void => onDoubt()
  const events = 'totalClients' in client ? DOUBTFUL_OF_POOLS : DOUBTFUL[kind]
  for (const event of events) client.on(event, listener)
  return () => {
    for (const event of events) client.off(event, listener)
  }
}
