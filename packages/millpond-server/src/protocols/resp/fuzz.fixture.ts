/** Bytes that are almost the protocol, by a seed, thrown at a server: in tests a few, in the bench a gigabyte. */
import { once } from 'node:events'
import net from 'node:net'
import type { Command } from '../../commands/command.ts'

/** Commands that would end, stop or reconfigure the server under test, write files, or talk without end. */
const LEFT_OUT = new Set(
  'shutdown debug config acl save bgsave bgrewriteaof client monitor replicaof slaveof swapdb wait'.split(' '),
)

/** After these a connection does little more: they are rare. */
const STOPPERS = /^(quit|[ps]?subscribe|b[lrz].*|multi|eval.*|fcall.*|wait|flush.*)$/

const TREATS = ['0', '-1', '1', '10', '9223372036854775807', '1e400', 'nan', '', 'NX', 'EX', '*', '$', '(1', '[a', '\0']

type Chance = () => number

/** One connection's worth of bytes: commands with odd words, some of them broken. */
export function oddBytes(commands: readonly Command[], random: Chance, bytes: number): Buffer {
  const names = commands.filter(({ name }) => !LEFT_OUT.has(name)).map(({ name }) => name)
  const parts: Buffer[] = []
  for (let length = 0; length < bytes; ) {
    const name = pick(names, random)
    if (STOPPERS.test(name) && random() > 0.02) continue
    const part = oddCommand(name, random)
    parts.push(part)
    length += part.length
  }
  return Buffer.concat(parts)
}

function oddCommand(name: string, random: Chance): Buffer {
  const words = [name, ...Array.from({ length: Math.floor(random() * 6) }, () => oddWord(random))]
  const lines = [`*${words.length}\r\n`, ...words.map((word) => `$${word.length}\r\n${word}\r\n`)].join('')
  const bytes = Buffer.from(random() < 0.1 ? `${words.join(' ')}\r\n` : lines, 'latin1')
  const fate = random()
  if (fate < 0.0008) bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8)
  else if (fate < 0.001) return bytes.subarray(0, Math.floor(random() * bytes.length))
  return bytes
}

function oddWord(random: Chance): string {
  const kind = random()
  if (kind < 0.4) return pick(TREATS, random)
  if (kind < 0.7) return `key${Math.floor(random() * 20)}`
  if (kind < 0.998) return String(Math.floor(random() * 100))
  return String.fromCharCode(Math.floor(random() * 256)).repeat(Math.floor(random() * 20_000))
}

function pick<T>(list: readonly T[], random: Chance): T {
  return list[Math.floor(random() * list.length)]!
}

/** Throws bytes at a port on a connection of their own, and waits until the server has read them or hung up. */
export async function throwAt(port: number, bytes: Buffer): Promise<void> {
  const socket = net.connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.resume()
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  socket.end(bytes)
  const timer = setTimeout(() => socket.destroy(), 5000)
  await closed
  clearTimeout(timer)
}
