/** What the page watches: answered requests, commits that the feed tells of, and the statistics, as server-sent events. */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Cache } from 'millpond'

/** What was answered or committed since the page was told last. */
interface News {
  requests: { what: string; status: number; ms: number; from: string }[]
  commits: number
}

const EVERY_MS = 100
/** More requests than this between two tellings are counted, not shown. */
const REQUESTS_MAX = 60

/** Adds the route `/live`. Costs next to nothing while no page is open. */
export function showLive(server: FastifyInstance, cache: Cache, stats: () => object): void {
  const pages = new Set<ServerResponse>()
  let news: News = { requests: [], commits: 0 }

  const tell = (): void => {
    const text = `data: ${JSON.stringify({ ...news, stats: stats() })}\n\n`
    for (const page of pages) page.write(text)
    news = { requests: [], commits: 0 }
  }

  server.addHook('onResponse', (request, reply, done) => {
    if (pages.size > 0 && request.url.startsWith('/trades') && news.requests.length < REQUESTS_MAX) {
      const from = String(reply.getHeader('x-served-from') ?? '')
      const what = `${request.method} ${request.url}`
      news.requests.push({ what, status: reply.statusCode, ms: reply.elapsedTime, from })
    }
    done()
  })
  cache.on('invalidate', ({ origin }) => {
    if (origin === 'feed') news.commits++
  })

  const timer = setInterval(() => {
    if (pages.size > 0) tell()
  }, EVERY_MS).unref()

  server.get('/live', (_, reply) => {
    reply.hijack()
    const page = reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    pages.add(page)
    page.on('close', () => pages.delete(page))
    tell()
  })
  server.addHook('preClose', (done) => {
    clearInterval(timer)
    for (const page of pages) page.end()
    done()
  })
}
