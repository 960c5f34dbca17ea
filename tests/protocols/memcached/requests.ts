/** Random requests of memcached's protocol, in text, meta and binary, that have one right answer. */
import type { Random } from '../redis/random.ts'

const KEYS = ['a', 'b', 'c', 'key:1', 'key:2', 'k'.repeat(250)]
/**
 * Keys of numbers, which alone are added to. Whether memcached then changes an item or puts another in its place (which was not
 * fetched, and is not stale) depends on who else is being sent it.
 */
const COUNTERS = ['n', 'm', 'number:1']
const ODD_KEYS = ['k'.repeat(251), 'a\tb', '\u00ff\u0001', '']
const NUMBERS = [
  '0',
  '1',
  '5',
  '99',
  '100',
  '4294967295',
  '18446744073709551615',
  '18446744073709551614',
  '9007199254740993',
]
const SMALL_NUMBERS = ['0', '1', '5', '99', '100', '4294967295', '9007199254740990']
const ODD_NUMBERS = ['-1', 'x', '', '+7', '1x', '18446744073709551616', '99999999999999999999', '\t3', '0x1', '007']
/** Lives that end long after a run, at once, or never. */
const LIVES = ['0', '0', '0', '1000', '2000', '-1', '2591999', '2678400', '4102444800']
const FLAGS = ['0', '0', '1', '65535', '4294967295', '4294967296', '123']
/** A number that no server gives. */
const NEVER_GIVEN = '7'

/** A request, and what makes its answer comparable. */
export interface FuzzRequest {
  readonly bytes: Buffer
  /** As a person reads it. */
  readonly text: string
}

/** What the last answers have told: the two servers give numbers of their own. */
export interface Known {
  /** By key: a cas that the server under test has given, and one of the other. */
  readonly cas: ReadonlyMap<string, readonly [ours: string, theirs: string]>
}

/** A request for each of the two: they differ where a cas stands in them. */
export function randomText(random: Random, known: Known): readonly [FuzzRequest, FuzzRequest] {
  const line = random.chance(0.5) ? classic(random) : meta(random)
  return [0, 1].map((side) => {
    const text = line.replaceAll(
      /<cas:([^>]*)>/g,
      (_, key: string) => known.cas.get(key)?.[side as 0 | 1] ?? NEVER_GIVEN,
    )
    return { text, bytes: Buffer.from(text, 'latin1') }
  }) as unknown as readonly [FuzzRequest, FuzzRequest]
}

function key(random: Random): string {
  if (random.chance(0.02)) return random.pick(ODD_KEYS)
  return random.chance(0.15) ? random.pick(COUNTERS) : random.pick(KEYS)
}

function number(random: Random): string {
  return random.chance(0.04) ? random.pick(ODD_NUMBERS) : random.pick(NUMBERS)
}

function value(random: Random, k: string): string {
  if (COUNTERS.includes(k) && random.chance(0.9)) return random.pick(SMALL_NUMBERS)
  const kind = random.below(10)
  if (kind < 8) return String.fromCharCode(97 + random.below(26)).repeat(random.below(12))
  if (kind < 9) return `\r\n\0${'v'.repeat(random.below(300))}`
  return 'w'.repeat(random.below(20_000))
}

/** The value's line, which now and then is not as long as was said, or ends otherwise. */
function block(random: Random, data: string): string {
  return random.chance(0.01) ? `${data}xx` : `${data}\r\n`
}

function noreply(random: Random): string {
  return random.chance(0.1) ? ' noreply' : ''
}

function classic(random: Random): string {
  const kind = random.below(20)
  if (kind < 6) return store(random)
  if (kind < 10) {
    const name = random.pick(['get', 'get', 'gets', 'get', 'gat', 'gats'])
    // For a key that is too long memcached forgets the answers before it, if they are not sent yet.
    const few = Array.from({ length: 1 + random.below(4) }, () => key(random).slice(0, 250))
    const keys = few.join(random.chance(0.1) ? '  ' : ' ')
    return `${name}${name.startsWith('gat') ? ` ${random.chance(0.05) ? 'x' : random.pick(LIVES)}` : ''} ${keys}\r\n`
  }
  if (kind < 14) return arithmetic(random)
  if (kind < 16) return `delete ${key(random)}${random.chance(0.1) ? ' 0' : ''}${noreply(random)}\r\n`
  if (kind < 17) return `touch ${key(random)} ${random.chance(0.05) ? 'x' : random.pick(LIVES)}${noreply(random)}\r\n`
  if (kind < 18) {
    const k = random.pick(KEYS)
    const data = value(random, k)
    return `cas ${k} ${random.pick(FLAGS)} ${random.pick(LIVES)} ${data.length} <cas:${k}>${noreply(random)}\r\n${block(random, data)}`
  }
  return random.pick([
    'version\r\n',
    'bogus words\r\n',
    '\r\n',
    'get\r\n',
    'set a 0 0\r\n',
    'incr a\r\n',
    'delete a b c d e\r\n',
    'delete a 5\r\n',
    'verbosity 1\r\n',
    'verbosity x\r\n',
    'mq a\r\n',
    'm\r\n',
    'GET a\r\n',
    'stats bogus\r\n',
    'flush_all x\r\n',
    'touch a\n',
    `${random.chance(0.05) ? 'flush_all' : 'get a'}\r\n`,
  ])
}

/** What becomes shorter memcached fills with spaces, which is not done here: the item does not outlive that. */
function arithmetic(random: Random): string {
  const k = random.pick(COUNTERS)
  const kind = random.below(4)
  if (kind === 0) return `decr ${k} ${number(random)}${noreply(random)}\r\ndelete ${k} noreply\r\n`
  if (kind === 1) {
    // In what is stored memcached takes larger numbers for negative ones, if a minus sign lies behind them in its memory.
    const wrapped = `set ${k} 3 0 19\r\n9223372036854775807\r\n`
    return `${wrapped}incr ${k} ${number(random)}\r\ndelete ${k} noreply\r\n`
  }
  if (kind === 2) return `incr ${k} ${random.pick([...SMALL_NUMBERS, ...ODD_NUMBERS])}${noreply(random)}\r\n`
  return `incr ${random.pick(KEYS)} 1\r\n`
}

function store(random: Random): string {
  const name = random.pick(['set', 'set', 'set', 'add', 'replace', 'append', 'prepend'])
  // Zeros put before a number would go when something is added to it.
  const k = name.endsWith('pend') ? random.pick(KEYS) : key(random)
  const wrongLength = random.chance(0.01) ? random.pick(['-1', 'x', '']) : undefined
  // A value that is not taken for one is read as a line, and long lines end the connection.
  const data = value(random, k).slice(0, wrongLength === undefined && !ODD_KEYS.includes(k) ? undefined : 1000)
  const length = wrongLength ?? String(data.length)
  const head = `${name} ${k} ${random.pick(FLAGS)} ${random.pick(LIVES)} ${length}${noreply(random)}\r\n`
  if (wrongLength !== undefined) return head
  return ODD_KEYS.includes(k) ? `${head}${data}\r\n` : `${head}${block(random, data)}`
}

function meta(random: Random): string {
  const k = random.pick(KEYS)
  const kind = random.below(10)
  if (kind < 4)
    return `mg ${k}${flags(random, ['v', 's', 't', 'f', 'k', 'q', 'c', 'h', 'u', 'O1', 'T1000', 'N500', 'R1500', 'R100', 'E', 'b', 'v'])}\r\n`
  if (kind < 7) {
    const data = value(random, k)
    const given = flags(random, [
      'c',
      `C<cas:${k}>`,
      'F5',
      'F4294967296',
      'I',
      'k',
      'Oab',
      'q',
      'T1000',
      'T0',
      'ME',
      'MA',
      'MP',
      'MR',
      'MS',
      'MX',
      'Tx',
      'C7',
      'M',
    ])
    return `ms ${k} ${data.length}${given}\r\n${block(random, data)}`
  }
  if (kind < 8) return `md ${k}${flags(random, [`C<cas:${k}>`, 'I', 'k', 'O2', 'q', 'T900', 'Z', 'I'])}\r\n`
  const n = random.pick(COUNTERS)
  // On a number that becomes longer memcached loses a life that is given with it.
  if (random.chance(0.1))
    return `delete ${n} noreply\r\nma ${n}${flags(random, ['N500', 'T800', 't', 'v', 'N0', 'c'])}\r\n`
  const ways = random.chance(0.3) ? ['MD', 'M-', 'MQ', `D${random.pick(ODD_NUMBERS)}`] : ['MI', 'M+']
  const given = flags(random, [
    ...ways,
    'v',
    't',
    'c',
    'k',
    'q',
    'O3',
    `C<cas:${n}>`,
    'N500',
    'J7',
    `D${random.pick(SMALL_NUMBERS)}`,
    'N0',
  ])
  return `ma ${n}${given}\r\n${/ M[D-]/.test(given) ? `delete ${n} noreply\r\n` : ''}`
}

function flags(random: Random, choices: readonly string[]): string {
  const given = new Set(Array.from({ length: random.below(6) }, () => random.pick(choices)))
  return [...given].map((flag) => ` ${flag}`).join('')
}

const OPCODES = [0x00, 0x0c, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0e, 0x0f, 0x1c, 0x1d, 0x23]
const QUIET = [0x09, 0x0d, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x19, 0x1a, 0x1e, 0x24]
const OTHERS = [0x0b]
const DELETE_QUIETLY = 0x14

/** A binary request for each of the two. */
export function randomBinary(random: Random, known: Known): readonly [FuzzRequest, FuzzRequest] {
  const opcode = random.pick(random.chance(0.06) ? OTHERS : random.chance(0.3) ? QUIET : OPCODES)
  const isSum = [0x05, 0x06, 0x15, 0x16].includes(opcode)
  const k = random.pick(isSum ? COUNTERS : KEYS)
  const data = value(random, k)
  const withCas = random.chance(0.2)
  const [extras, hasKey, hasValue] = shapeOf(random, opcode)
  return [0, 1].map((side) => {
    const cas = withCas ? (known.cas.get(k)?.[side as 0 | 1] ?? NEVER_GIVEN) : '0'
    const bytes = Buffer.concat([
      frame(opcode, extras, hasKey ? k : '', hasValue ? data : '', BigInt(cas)),
      // What becomes shorter is filled with spaces by memcached: see `arithmetic`.
      ...(isSum ? [frame(DELETE_QUIETLY, Buffer.alloc(0), k, '')] : []),
    ])
    return {
      bytes,
      text: `0x${opcode.toString(16)} ${hasKey ? k : ''} extras ${extras.toString('hex')} cas ${cas} ${hasValue ? data : ''}`,
    }
  }) as unknown as readonly [FuzzRequest, FuzzRequest]
}

function shapeOf(random: Random, opcode: number): [extras: Buffer, hasKey: boolean, hasValue: boolean] {
  if (OTHERS.includes(opcode)) return [Buffer.alloc(0), false, false]
  if ([0x01, 0x02, 0x03, 0x11, 0x12, 0x13].includes(opcode)) {
    const extras = Buffer.alloc(8)
    extras.writeUInt32BE(random.pick([0, 1, 0xdeadbeef]), 0)
    extras.writeUInt32BE(random.pick([0, 0, 1000, 2678400]), 4)
    return [extras, true, true]
  }
  if ([0x05, 0x06, 0x15, 0x16].includes(opcode)) {
    const extras = Buffer.alloc(20)
    extras.writeBigUInt64BE(BigInt(random.pick(NUMBERS)), 0)
    extras.writeBigUInt64BE(BigInt(random.pick(NUMBERS)), 8)
    extras.writeUInt32BE(random.pick([0, 1000, 0xffffffff]), 16)
    return [extras, true, false]
  }
  if ([0x1c, 0x1d, 0x1e, 0x23, 0x24].includes(opcode)) {
    const extras = Buffer.alloc(4)
    extras.writeUInt32BE(random.pick([0, 1000, 2000]))
    return [extras, true, false]
  }
  return [Buffer.alloc(0), true, [0x0e, 0x0f, 0x19, 0x1a].includes(opcode)]
}

export function frame(opcode: number, extras: Buffer, k: string, data: string, cas = 0n): Buffer {
  const head = Buffer.alloc(24)
  head[0] = 0x80
  head[1] = opcode
  head.writeUInt16BE(k.length, 2)
  head[4] = extras.length
  head.writeUInt32BE(extras.length + k.length + data.length, 8)
  head.writeUInt32BE(0x12345678, 12)
  head.writeBigUInt64BE(cas, 16)
  return Buffer.concat([head, extras, Buffer.from(k, 'latin1'), Buffer.from(data, 'latin1')])
}
