/** `/health/live` and `/health/ready`: what who starts and watches servers asks. Nobody need say who they are. */
import { SERVICE_MODE } from '../../commands/modes.ts'
import type { Exchange } from './exchange.ts'
import { Problem } from './problem.ts'

const TEXT = 'text/plain; charset=utf-8'

/** 200 or 503, and a word why. */
export function serveHealth(exchange: Exchange): void {
  const { method, target } = exchange
  if (method !== 'GET' && method !== 'HEAD') throw new Problem('METHOD', 'health is for GET and HEAD')
  if (target.path === '/health/live') answer(exchange, [])
  else if (target.path === '/health/ready') answer(exchange, faultsOf(exchange))
  else throw new Problem('NOTFOUND', 'there are /health/live and /health/ready')
}

function faultsOf({ host, listening }: Exchange): string[] {
  const faults = listening.isEnding ? ['the server is ending'] : []
  for (const [name, { modes }] of host.services) {
    if ((modes & SERVICE_MODE.LOG_FAILED) !== 0) faults.push(`the log of cache '${name}' can not be written`)
    if ((modes & SERVICE_MODE.BUSY) !== 0) faults.push(`a script in cache '${name}' runs too long`)
  }
  return faults
}

function answer(exchange: Exchange, faults: readonly string[]): void {
  const status = faults.length === 0 ? 200 : 503
  exchange.send(status, TEXT, `${faults.join('\n') || 'ok'}\n`, ['Cache-Control', 'no-store'])
}
