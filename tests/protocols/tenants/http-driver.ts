/** All commands in the shape of Upstash, and all paths in the shape of Momento, by HTTP. */
import { Agent, request } from 'node:http'
import type { CommandEntry } from '../../../packages/millpond-server/src/commands/command-table.ts'
import type { Random } from '../redis/random.ts'
import { type Aim, callOf } from './calls.ts'
import type { Credentials, Driver, Tried } from './driver.ts'

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: string
}

/** Of these each wrong one takes longer, or they wait. */
const SELDOM = new Set(['auth', 'hello'])
/** Answers that never end are waited for so long. */
const SILENT_MS = 300

export const httpDriver: Driver = {
  name: 'HTTP',
  async tryAll(server, as, aim, random, variants, meanwhile) {
    const agent = new Agent({ keepAlive: true })
    const tried: Tried[] = []
    const all = [
      ...server.service.commands.entries.map((entry) => ofCommand(entry, random, aim, variants)),
      ...['shop', 'bank', 'default', 'none'].flatMap((cache) => ofPaths(cache, aim)),
      ...OTHERS,
    ]
    for (const one of all) {
      const answers = await send(agent, server.ports['http-port'], as, one, meanwhile)
      tried.push({ calls: [`${one.method} ${one.path} ${one.body ?? ''}`], answers })
    }
    agent.destroy()
    return tried
  },
}

function ofCommand(entry: CommandEntry, random: Random, aim: Aim, variants: number): Request {
  const count = SELDOM.has(entry.fullName) ? 1 : variants
  const calls = Array.from({ length: count }, () => callOf(entry, random, aim))
  return { method: 'POST', path: random.pick(['/pipeline', '/multi-exec']), body: JSON.stringify(calls) }
}

function ofPaths(cache: string, { keys, channels }: Aim): Request[] {
  const ofKeys = keys.flatMap((key): Request[] => {
    const path = `/cache/${cache}?key=${encodeURIComponent(key)}`
    return [
      { method: 'GET', path },
      { method: 'PUT', path: `${path}&ttl_seconds=10`, body: 'changed' },
      { method: 'DELETE', path },
    ]
  })
  const ofTopics = channels.flatMap((channel): Request[] => {
    const path = `/topics/${cache}/${encodeURIComponent(channel)}`
    return [
      { method: 'GET', path: `${path}?timeout_seconds=0` },
      { method: 'POST', path, body: 'message' },
    ]
  })
  const admin = ['GET', 'PATCH', 'DELETE'].map((method) => ({ method, path: `/admin/caches/${cache}`, body: '{}' }))
  return [...ofKeys, ...ofTopics, ...admin, { method: 'POST', path: `/admin/caches/${cache}/flush` }]
}

const OTHERS: readonly Request[] = [
  ...[
    '/metrics',
    '/health/live',
    '/health/ready',
    '/',
    '/admin/caches',
    '/admin/tokens',
    '/keys/*',
    '/scan/0',
    '/dbsize',
    '/info',
  ].map((path) => ({ method: 'GET', path })),
  ...['/subscribe/known:channel', '/psubscribe/*', '/monitor'].map((path) => ({ method: 'GET', path })),
  { method: 'POST', path: '/admin/caches', body: '{"name":"more"}' },
  { method: 'POST', path: '/admin/tokens', body: '{"name":"more"}' },
  { method: 'DELETE', path: '/admin/tokens/bank-app' },
  { method: 'POST', path: '/admin/tokens/rotate', body: '{}' },
]

/** Resolves with the head and the body of the answer, as a byte string. */
function send(
  agent: Agent,
  port: number,
  as: Credentials | undefined,
  { method, path, body }: Request,
  meanwhile: () => void,
): Promise<string> {
  return new Promise((resolve) => {
    const headers = as && { Authorization: `Bearer ${as.secret}` }
    let text = ''
    const sent = request({ agent, port, host: '127.0.0.1', method, path, ...(headers && { headers }) }, (answer) => {
      text = `${answer.statusCode} ${JSON.stringify(answer.headers)}\n`
      meanwhile()
      answer.setEncoding('latin1').on('data', (more: string) => void (text += more))
      answer.on('close', () => resolve(text))
    })
    sent.setTimeout(SILENT_MS, () => sent.destroy())
    sent.on('error', () => resolve(text))
    sent.end(body)
  })
}
