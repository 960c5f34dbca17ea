/** Before a client has said who it is: `set <any> <any> <any> <bytes>`, and as value its cache and its token. */
import { ReplyError } from '../../engine/errors.ts'
import { WrongSecretError } from '../../security/guesses.ts'
import type { Exchange, Served } from './exchange.ts'
import { readUint32 } from './numbers.ts'

/** A name and a secret are not longer. */
const SECRETS_BYTES_MAX = 16 * 1024
const CR = 13
const LF = 10

export function authenticate(exchange: Exchange): Served {
  const { words, bytes } = exchange
  const length = words.count < 5 || !words.is(0, 'set') ? Number.NaN : readUint32(bytes, words.start(4), words.end(4))
  if (Number.isNaN(length)) return exchange.refuse('CLIENT_ERROR unauthenticated')
  if (length > SECRETS_BYTES_MAX) {
    exchange.refuse('CLIENT_ERROR bad authentication token format')
    return 'close'
  }
  const start = words.next
  const end = start + length
  if (end + 2 > exchange.end) return exchange.needs(end + 2)
  exchange.next = end + 2
  if (bytes[end] !== CR || bytes[end + 1] !== LF) return exchange.refuse('CLIENT_ERROR bad command line termination')
  const [name, secret] = bytes.toString('latin1', start, end).split(' ').filter(Boolean)
  if (name === undefined || secret === undefined) {
    return exchange.refuse('CLIENT_ERROR bad authentication token format')
  }
  return admit(exchange, name, secret, (wrong) => {
    const { writer } = exchange
    writer.line(wrong === undefined ? 'STORED' : `CLIENT_ERROR authentication failure${wrong && `: ${wrong}`}`)
  })
}

/**
 * Makes the client who it says that it is.
 *
 * @param answer writes the answer, now or later: why it is not, as far as that may be told
 */
export function admit(
  exchange: Exchange,
  name: string,
  secret: string,
  answer: (wrong: string | undefined) => void,
): Served {
  const { delayMs, wrong } = admitted(exchange, name, secret)
  if (delayMs > 0) exchange.late = { delayMs, write: () => answer(wrong) }
  else answer(wrong)
  return 'done'
}

function admitted(
  exchange: Exchange,
  name: string,
  secret: string,
): { readonly wrong: string | undefined; readonly delayMs: number } {
  const { client, state } = exchange
  const { counters } = state
  counters.auth_cmds++
  try {
    if (client.service.authenticate(client, name, secret)) {
      exchange.state = client.state
      return { wrong: undefined, delayMs: 0 }
    }
    counters.auth_errors++
    return { wrong: '', delayMs: 0 }
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error
    counters.auth_errors++
    return { wrong: error.message, delayMs: error instanceof WrongSecretError ? error.delayMs : 0 }
  }
}
