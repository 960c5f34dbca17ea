import { errorMonitor } from 'node:events'
import { isConnected, type Recognised } from './client.ts'

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

/** Before a client was connected for the first time nothing was acknowledged, and what waits for that is not lost. */
const BEGINNING: readonly (string | symbol)[] = ['ready', '+node']

/**
 * Calls `onDoubt` at each such event of a client. It does not listen to `'error'`, so a client without a listener for
 * that stays as its owner made it. Returns what stops it.
 */
export function watchClient(recognised: Recognised, onDoubt: () => void): () => void {
  const { client } = recognised
  const watched = watchedClients.get(client) ?? listenTo(recognised)
  const watcher = { onDoubt }
  watched.watchers.add(watcher)
  return () => {
    if (!watched.watchers.delete(watcher) || watched.watchers.size > 0) return
    watched.stop()
    watchedClients.delete(client)
  }
}

/** A client is listened to once, however many watch it: emitters warn of more than ten listeners. */
interface Watched {
  readonly watchers: Set<{ readonly onDoubt: () => void }>
  readonly stop: () => void
}

const watchedClients = new WeakMap<object, Watched>()

function listenTo(recognised: Recognised): Watched {
  const { kind, client } = recognised
  const watchers: Watched['watchers'] = new Set()
  let isNew = !isConnected(recognised)
  const events: readonly (string | symbol)[] = 'totalClients' in client ? DOUBTFUL_OF_POOLS : DOUBTFUL[kind]
  const listeners = events.map((event) => () => {
    const begins = isNew && BEGINNING.includes(event)
    if (!begins || isConnected(recognised)) isNew = false
    if (!begins) for (const { onDoubt } of watchers) onDoubt()
  })
  for (const [at, event] of events.entries()) client.on(event, listeners[at]!)
  const stop = (): void => {
    for (const [at, event] of events.entries()) client.off(event, listeners[at]!)
  }
  const watched = { watchers, stop }
  watchedClients.set(client, watched)
  return watched
}
