/** Bytes that are almost memcached's protocol, text or binary, by a seed. */
import { BINARY_COMMANDS } from './binary.ts'
import { TEXT_COMMANDS } from './text.ts'

type Chance = () => number

/** One connection's worth: commands with odd words, or frames with odd fields, some of them broken. */
export function oddMemcached(random: Chance, bytes: number): Buffer {
  return random() < 0.5 ? oddText(random, bytes) : oddBinary(random, bytes)
}

const TREATS = [
  '0',
  '-1',
  '1',
  '10',
  '18446744073709551615',
  'noreply',
  'T30',
  'v',
  'c',
  'k',
  'b',
  'C1',
  'N5',
  'q',
  'I',
  'MA',
  '\t',
  '\0',
  '%',
]
/** After these a connection does no more. */
const RARE = /^(quit|shutdown|flush_all)$/

function oddText(random: Chance, bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let length = 0; length < bytes; ) {
    const { name } = pick(TEXT_COMMANDS, random)
    if (RARE.test(name) && random() > 0.02) continue
    const part = broken(Buffer.from(oddLine(name, random), 'latin1'), random)
    parts.push(part)
    length += part.length
  }
  return Buffer.concat(parts)
}

function oddLine(name: string, random: Chance): string {
  const words = [name, ...Array.from({ length: Math.floor(random() * 7) }, () => oddWord(random))]
  const data = 'v'.repeat(random() < 0.01 ? Math.floor(random() * 20_000) : Math.floor(random() * 40))
  const takesValue = /^(set|add|replace|append|prepend|cas|ms)$/.test(name)
  if (takesValue && random() < 0.8) {
    const head =
      name === 'ms' ? `ms ${oddWord(random)} ${data.length}` : `${name} ${oddWord(random)} 1 0 ${data.length}`
    return `${head}${name === 'cas' ? ' 5' : ''}${random() < 0.3 ? ` ${oddWord(random)}` : ''}\r\n${data}\r\n`
  }
  return `${words.join(' ')}${random() < 0.02 ? '\n' : '\r\n'}`
}

function oddWord(random: Chance): string {
  const kind = random()
  if (kind < 0.4) return pick(TREATS, random)
  if (kind < 0.9) return `key${Math.floor(random() * 20)}`
  if (kind < 0.999) return String(Math.floor(random() * 100))
  return String.fromCharCode(33 + Math.floor(random() * 220)).repeat(Math.floor(random() * 3000))
}

function oddBinary(random: Chance, bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let length = 0; length < bytes; ) {
    const command = pick(BINARY_COMMANDS, random)
    if (/quit|flush/.test(command.name) && random() > 0.02) continue
    const part = broken(oddFrame(command.opcode, command.quietOpcode, random), random)
    parts.push(part)
    length += part.length
  }
  return Buffer.concat(parts)
}

function oddFrame(opcode: number, quietOpcode: number | undefined, random: Chance): Buffer {
  const extras = random() < 0.9 ? pick([0, 4, 8, 20], random) : Math.floor(random() * 256)
  const key = `key${Math.floor(random() * 20)}`
  const value = 'v'.repeat(Math.floor(random() * 50))
  const head = Buffer.alloc(24)
  head[0] = 0x80
  head[1] = random() < 0.3 ? (quietOpcode ?? opcode) : opcode
  head.writeUInt16BE(key.length, 2)
  head[4] = extras
  head.writeUInt32BE(extras + key.length + value.length, 8)
  return Buffer.concat([head, Buffer.alloc(extras, Math.floor(random() * 256)), Buffer.from(key + value)])
}

/** Now and then a bit is another one, or the end is missing. */
function broken(bytes: Buffer, random: Chance): Buffer {
  const fate = random()
  if (fate < 0.0008 && bytes.length > 0) bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8)
  else if (fate < 0.001) return bytes.subarray(0, Math.floor(random() * bytes.length))
  return bytes
}

function pick<T>(list: readonly T[], random: Chance): T {
  return list[Math.floor(random() * list.length)]!
}
