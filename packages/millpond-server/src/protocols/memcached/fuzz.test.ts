import { expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { Configuration } from '../../commands/configuration/configuration.ts'
import { startServer } from '../../server.ts'
import { throwAt } from '../resp/fuzz.fixture.ts'
import { BINARY_COMMANDS } from './binary.ts'
import { TEXT_COMMANDS } from './text.ts'

const TOTAL_BYTES = 6 * 2 ** 20
const CONNECTION_BYTES = 64 * 1024
const AT_ONCE = 8

type Chance = () => number

test('6 MB of fuzzed bytes, before and after authentication: the server answers on, has no fault of its own, and holds nothing back', {
  timeout: 240_000,
}, async () => {
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
  const random = seededRandom(seed)
  const configuration = new Configuration()
  configuration.set([
    ['port', '0'],
    ['maxmemory', '32mb'],
  ])
  const server = await startServer({ configuration, ports: { port: 0, 'memcached-port': 0 }, capacity: 64 * 2 ** 20 })
  const { service } = server
  const faults: unknown[] = []
  service.onFault = (error) => void faults.push(error)
  try {
    for (let sent = 0; sent < TOTAL_BYTES; sent += CONNECTION_BYTES * AT_ONCE) {
      const asks = sent > TOTAL_BYTES * 0.8
      if (asks) service.accessControl.set('default', ['off'])
      const turns = Array.from({ length: AT_ONCE }, () => (random() < 0.5 ? oddText(random) : oddBinary(random)))
      await Promise.all(turns.map((bytes) => throwAt(server.ports['memcached-port'], bytes)))
    }
    expect(faults, `seed ${seed}`).toEqual([])
    expect(service.statistics.total).toBeGreaterThan(10_000)
    for (let turn = 0; turn < 1000 && service.clients.size > 0; turn++)
      await new Promise((done) => setTimeout(done, 10))
    expect(service.clients.size).toBe(0)
    expect([service.depth, service.current]).toEqual([0, undefined])
    expect(service.cache.usedBytes).toBeLessThan(40 * 2 ** 20)
  } finally {
    await server.close()
  }
})

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

function oddText(random: Chance): Buffer {
  const parts: Buffer[] = []
  for (let length = 0; length < CONNECTION_BYTES; ) {
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

function oddBinary(random: Chance): Buffer {
  const parts: Buffer[] = []
  for (let length = 0; length < CONNECTION_BYTES; ) {
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
