/** What the page watches: answered requests, commits that the feed tells of, and the statistics, as server-sent events. */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Cache } from 'millpond'

/** Something that the page draws, in the order in which it happened. */
type Happening = { kind: 'request'; what: string; status: number; ms: number; from: string } | { kind: 'commit' }

const EVERY_MS = 100
/** What happens beyond this between two tellings is in the statistics only. */
const HAPPENINGS_MAX = 60

/** Adds the route `/live`. Costs next to nothing while no page is open. */
export function showLive(server: FastifyInstance, cache: Cache | undefined, stats: () => object): void {
  const pages = new Set<ServerResponse>()
  let happenings: Happening[] = []

  const add = (happening: Happening): void => {
    if (pages.size > 0 && happenings.length < HAPPENINGS_MAX) happenings.push(happening)
  }
  const tell = (): void => {
    const text = `data: ${JSON.stringify({ happenings, stats: stats() })}\n\n`
    for (const page of pages) page.write(text)
    happenings = []
  }

  server.addHook('onResponse', ({ method, url }, reply, done) => {
    if (url.startsWith('/trades')) {
      const from = String(reply.getHeader('x-served-from') ?? '')
      add({ kind: 'request', what: `${method} ${url}`, status: reply.statusCode, ms: reply.elapsedTime, from })
    }
    done()
  })
  cache?.on('invalidate', ({ origin }) => {
    if (origin === 'feed') add({ kind: 'commit' })
  })

  server.get('/live', (_, reply) => {
    reply.hijack()
    const page = reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    pages.add(page)
    page.on('close', () => pages.delete(page))
    tell()
  })

  const timer = setInterval(() => {
    if (pages.size > 0) tell()
  }, EVERY_MS)
  server.addHook('preClose', (done) => {
    clearInterval(timer)
    for (const page of pages) page.end()
    done()
  })
}
