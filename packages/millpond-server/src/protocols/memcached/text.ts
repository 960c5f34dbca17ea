/** The text protocol: lines, and values behind some of them. */
import type { Exchange, Served } from './exchange.ts'
import { metaCommands } from './meta.ts'
import { authenticate } from './text-authentication.ts'
import { changeCommands } from './text-changes.ts'
import type { TextCommand } from './text-command.ts'
import { retrievalCommands } from './text-retrieval.ts'
import { serverCommands } from './text-server.ts'
import { storageCommands } from './text-storage.ts'

export const TEXT_COMMANDS: readonly TextCommand[] = [
  ...retrievalCommands,
  ...storageCommands,
  ...changeCommands,
  ...metaCommands,
  ...serverCommands,
]

const BY_NAME: ReadonlyMap<string, TextCommand> = new Map(TEXT_COMMANDS.map((command) => [command.name, command]))
const GET = BY_NAME.get('get')!
const SET = BY_NAME.get('set')!
const MG = BY_NAME.get('mg')!

/** A line is not longer, except one that asks for many keys. */
const LINE_BYTES_MAX = 2048
const KEYS_LINE_BYTES_MAX = 8 * 2 ** 20
const LF = 10

/** Serves the request that begins at `at`. `searched`: to where the end of its line was looked for in vain. */
export function serveText(exchange: Exchange, at: number, searched: number): Served {
  const { words, bytes, end } = exchange
  if (searched > at) {
    const line = bytes.indexOf(LF, searched)
    if (line < 0 || line >= end) return unended(exchange, at)
  }
  if (!words.read(bytes, at, end)) return unended(exchange, at)
  exchange.next = words.next
  if (exchange.client.mustAuthenticate) return authenticate(exchange)
  if (words.count === 0 || words.length(0) < 2) return exchange.refuse('ERROR')
  const command = find(exchange)
  if (command === undefined) return unknown(exchange)
  const [least, most] = command.words
  if (words.count < least || words.count > most) return exchange.refuse('ERROR')
  return command.run(exchange)
}

function find({ words }: Exchange): TextCommand | undefined {
  if (words.is(0, 'get')) return GET
  if (words.is(0, 'set')) return SET
  if (words.is(0, 'mg')) return MG
  return words.length(0) > 16 ? undefined : BY_NAME.get(words.text(0))
}

/** Who speaks HTTP, because somebody has made a browser try it, is not answered. */
function unknown(exchange: Exchange): Served {
  const { words } = exchange
  return words.text(words.count - 1).startsWith('HTTP/') ? 'close' : exchange.refuse('ERROR')
}

function unended(exchange: Exchange, at: number): Served {
  const length = exchange.end - at
  if (length > LINE_BYTES_MAX && (length > KEYS_LINE_BYTES_MAX || !asksForKeys(exchange, at))) {
    exchange.refuse('CLIENT_ERROR line too long')
    return 'close'
  }
  return exchange.needs(0)
}

function asksForKeys({ bytes, client }: Exchange, at: number): boolean {
  const begin = bytes.toString('latin1', at, at + 16)
  return !client.mustAuthenticate && /^ *(?:gets?|gats?) /.test(begin)
}
