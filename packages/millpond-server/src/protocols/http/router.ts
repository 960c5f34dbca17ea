/** Which part of the server a request is for, by the beginning of its path. */
import { serveAdmin, serveMetrics } from './admin-routes.ts'
import { serveCache } from './cache-routes.ts'
import type { Exchange } from './exchange.ts'
import { serveHealth } from './health.ts'
import { serveRest } from './rest-routes.ts'
import { serveTopic } from './topic-routes.ts'

type Serve = (exchange: Exchange) => void

/** None of these is a command's name followed by what it takes. All else is in the shape of Upstash's. */
const PLACES: readonly (readonly [beginning: string, serve: Serve])[] = [
  ['/cache/', serveCache],
  ['/topics/', serveTopic],
  ['/admin/', serveAdmin],
  ['/metrics', serveMetrics],
  ['/health/', serveHealth],
]

/** Serves a request. All that goes wrong is an answer. */
export function route(exchange: Exchange): void {
  exchange.attempt(() => {
    const { path } = exchange.target
    for (const [beginning, serve] of PLACES) {
      if (path.startsWith(beginning)) {
        serve(exchange)
        return
      }
    }
    serveRest(exchange)
  })
}
