import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import type { TransportAddress, TransportStream } from '../../core/transport.ts'
import { transportContract } from '../../testing/contracts-transport.ts'
import { readEcho, writeAnswer, writeQuestion } from './echo.ts'
import { measurePath } from './measure-path.ts'
import { findInterface, groupOf } from './network-interface.ts'
import { Reach } from './reach.ts'
import { type SeedAddress, Seeds } from './seeds.ts'
import { UdpTransport } from './udp.ts'
import type { UdpTransportOptions } from './udp-options.ts'

interface End {
  readonly transport: UdpTransport
  readonly address: TransportAddress
  /** Texts that came, with the port of their sender. */
  readonly got: string[]
  readonly streams: TransportStream[]
  readonly warnings: string[]
}

const open: End[] = []
/** A mesh of its own for each test, so that they do not hear each other. */
let meshes = 0
afterEach(async () => {
  for (const { transport } of open.splice(0)) await transport.close()
  meshes++
})

async function end(options: Partial<UdpTransportOptions> = {}): Promise<End> {
  const warnings: string[] = []
  const mesh = `test ${process.pid} ${meshes}`
  const transport = new UdpTransport({ mesh, sealed: false, warn: (message) => warnings.push(message), ...options })
  const got: string[] = []
  const streams: TransportStream[] = []
  const address = await transport.open({
    datagram: (bytes, host, port) => got.push(`${Buffer.from(bytes).toString()} from ${host}:${port}`),
    stream: (stream) => streams.push(stream),
    failed: (error) => got.push(error.message),
  })
  const made = { transport, address, got, streams, warnings }
  open.push(made)
  return made
}

const hasAddress = (wanted: string): boolean =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === wanted))

/** Some time, and then a look at the sockets: a process that is short of time sees its timers first. */
async function passed(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits until something is so, at most 5 s. */
async function until(isSo: () => boolean): Promise<void> {
  for (let at = 0; at < 500 && !isSo(); at++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(isSo()).toBe(true)
}

const at = ({ host, port }: TransportAddress): string => `${host}:${port}`

describe('datagrams on the loopback', () => {
  test('to all reach every process that shares the port, to one only that', async () => {
    const [one, two, three] = [await end(), await end(), await end()]
    one.transport.send(Buffer.from('all'))
    one.transport.send(Buffer.from('you'), two.address)
    await until(() => two.got.length === 2 && three.got.length === 1 && one.got.length === 1)
    expect(two.got.toSorted()).toEqual([`all from ${at(one.address)}`, `you from ${at(one.address)}`])
    expect(three.got).toEqual([`all from ${at(one.address)}`])
  })

  test('are sent once to all who prove to hear the group, and grow to what the path takes', async () => {
    const [one, two, three] = [await end(), await end(), await end()]
    const all = [one, two, three]
    expect(one.transport.datagramBytesMax).toBe(1200)
    for (const own of all) own.transport.know(all.filter((end) => end !== own).map(({ address }) => address))
    expect(one.transport.spread).toEqual({ group: false, oneByOne: 2 })
    await until(() => all.every(({ transport }) => transport.spread.oneByOne === 0))
    await until(() => all.every(({ transport }) => transport.datagramBytesMax === 7680))
    const { sent } = one.transport.counts
    one.transport.send(Buffer.alloc(7680))
    expect(one.transport.counts.sent).toBe(sent + 1)
    await until(() => three.got.length === 1)
  })

  test('go one by one to who does not hear the group', async () => {
    const [one, two] = [await end(), await end()]
    const deaf = await end({ mode: 'fan-out', seeds: [at(one.address)], ownPort: 0 })
    one.transport.know([two.address, deaf.address])
    await until(() => one.transport.spread.oneByOne === 1)
    one.transport.send(Buffer.from('all'))
    await until(() => deaf.got.length === 1 && two.got.length >= 1)
    expect(one.transport.spread).toEqual({ group: true, oneByOne: 1 })
  })

  test('without multicast find members by seeds, living ones only', async () => {
    const seeds: string[] = []
    const one = await end({ mode: 'fan-out', seeds: ['127.0.0.1:9'], ownPort: 0 })
    seeds.push('127.0.0.1:9', at(one.address))
    const two = await end({ mode: 'fan-out', seeds, ownPort: 0 })
    await until(() => two.transport.spread.oneByOne === 1)
    two.transport.send(Buffer.from('hello'))
    await until(() => one.got.length === 1)
    expect(one.got).toEqual([`hello from ${at(two.address)}`])
    expect(two.transport.spread).toEqual({ group: false, oneByOne: 1 })
    one.transport.know([two.address])
    one.transport.send(Buffer.from('hello yourself'))
    await until(() => two.got.length === 1)
  })

  test('of a flood of 3,000 all arrive where the kernel has room', async () => {
    const [one, two] = [await end(), await end()]
    for (let count = 0; count < 3000; count++) one.transport.send(Buffer.alloc(1000), two.address)
    const granted = two.warnings.length === 0
    await until(() => two.got.length === 3000 || (!granted && two.got.length > 100))
  })
})

test('IPv6 carries the group too, where the machine has an address that is not only its own', async () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal, scopeid }) => family === 'IPv6' && !internal && scopeid === 0)
  const via = { sealed: true, interface: outside?.address ?? '127.0.0.1' }
  const [one, two] = [await end(via), await end(via)]
  one.transport.send(Buffer.from('all'))
  await until(() => two.got.length === 1)
  expect(two.got).toEqual([`all from ${at(one.address)}`])
})

describe('streams', () => {
  test('carry megabytes both ways, in order, to an end', async () => {
    const [one, two] = [await end(), await end()]
    const out = await one.transport.connect(two.address)
    await until(() => two.streams.length === 1)
    const back = two.streams[0]!
    const sending = (async () => {
      for (let piece = 0; piece < 64; piece++) await out.write(Buffer.alloc(100_000, piece))
      out.end()
    })()
    let length = 0
    for (let bytes = await back.read(); bytes; bytes = await back.read()) {
      expect(bytes[0]).toBe(Math.floor(length / 100_000))
      length += bytes.length
    }
    await sending
    expect(length).toBe(6_400_000)
    await back.write(Buffer.from('got it'))
    expect(Buffer.from((await out.read())!).toString()).toBe('got it')
  })

  test('break at both ends when one is destroyed, or its transport closed; nobody listens: MeshError', async () => {
    const [one, two] = [await end(), await end()]
    const out = await one.transport.connect(two.address)
    await until(() => two.streams.length === 1)
    out.destroy()
    expect(await two.streams[0]!.read()).toBeUndefined()
    await expect(out.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'ERR_MESH' })
    const again = await one.transport.connect(two.address)
    await two.transport.close()
    expect(await again.read()).toBeUndefined()
    await expect(one.transport.connect(two.address)).rejects.toMatchObject({ code: 'ERR_MESH' })
  })
})

describe('echoes', () => {
  test('of another mesh, to a forged answer, or to a stranger change nothing', async () => {
    const one = await end()
    const stranger = createSocket('udp4')
    await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.1', resolve))
    const host = '127.0.0.1'
    const { port } = stranger.address()
    one.transport.know([{ host, port, streamPort: 1 }])
    const answers: Buffer[] = []
    stranger.on('message', (bytes) => {
      answers.push(bytes)
      const echo = readEcho(bytes, bytes.readUInt32LE(4))!
      const forged = writeAnswer(bytes.readUInt32LE(4), { ...echo, kind: 'to all', random: Buffer.alloc(8) })
      stranger.send(forged, one.address.port, host)
    })
    stranger.send(writeQuestion('to one', 12345, 1, 24), one.address.port, host)
    await until(() => answers.length >= 3)
    expect(answers.every((bytes) => readEcho(bytes, bytes.readUInt32LE(4))?.kind === 'to one')).toBe(true)
    expect(one.transport.spread.oneByOne).toBe(1)
    expect(one.transport.datagramBytesMax).toBe(1200)
    stranger.close()
  })

  test('are not longer in answer than in question, and say how much came', () => {
    const question = writeQuestion('to one', 7, 99, 1400)
    const echo = readEcho(question, 7)!
    expect(echo).toMatchObject({ kind: 'to one', question: 99, length: 1400 })
    const answer = writeAnswer(7, echo)
    expect(answer).toHaveLength(24)
    expect(readEcho(answer, 7)).toEqual({ ...echo, kind: 'heard' })
    expect(readEcho(answer, 8)).toBeUndefined()
  })
})

describe('options', () => {
  test('without a key only the loopback is used', () => {
    const make = (options: Partial<UdpTransportOptions>) => new UdpTransport({ mesh: 'x', sealed: false, ...options })
    const outside = (() => {
      try {
        return findInterface(undefined, false)
      } catch {
        return undefined
      }
    })()
    if (outside && !outside.internal) {
      expect(() => make({ interface: outside.address })).toThrow('insecure')
      expect(() => make({ interface: outside.name, insecure: true })).not.toThrow()
      expect(() => make({ interface: outside.name, sealed: true })).not.toThrow()
    }
    expect(() => make({ interface: 'no such' })).toThrow('no network interface')
    expect(() => make({ mode: 'fan-out' })).toThrow('seeds')
    if (hasAddress('::1')) expect(() => make({ interface: '::1' })).toThrow('127.0.0.1')
    expect(() => make({ port: 70_000 })).toThrow('port')
    expect(() => make({ hopsMax: 0 })).toThrow('hopsMax')
  })

  test.each<[string, Partial<UdpTransportOptions>]>([
    ['mode', { mode: 'unicast' as never }],
    ['group', { group: '10.0.0.1' }],
    ['group', { group: 'ff15::1' }],
    ['group', { group: 'everybody' }],
    ['seeds', { seeds: '10.0.0.7' as never }],
    ['seeds', { seeds: ['10.0.0.7:99999'] }],
    ['seeds', { seeds: [7 as never] }],
  ])('%s that cannot be used: %j', (option, options) => {
    const make = () => new UdpTransport({ mesh: 'x', sealed: false, interface: '127.0.0.1', ...options })
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option }))
  })

  test('the group follows from the name, and is one of those for the use of a site', () => {
    expect(groupOf('shop', 4)).toMatch(/^239\.19[2-5]\.\d+\.\d+$/)
    expect(groupOf('shop', 4)).toBe(groupOf('shop', 4))
    expect(groupOf('shop', 4)).not.toBe(groupOf('bank', 4))
    expect(groupOf('shop', 6)).toMatch(/^ff15::[0-9a-f]+:[0-9a-f]+$/)
  })

  test('a port that is taken is told, and nothing stays open', async () => {
    const one = await end()
    await expect(end({ ownPort: one.address.port })).rejects.toThrow('another ownPort')
    await expect(end({ streamPort: one.address.streamPort })).rejects.toThrow('another streamPort')
  })

  test('a kernel that grants less than asked is told of', async () => {
    const { warnings } = await end({ bufferBytes: 2 ** 30 })
    expect(warnings[0]).toContain('net.core.rmem_max')
  })
})

describe('seeds', () => {
  const follow = async (source: ConstructorParameters<typeof Seeds>[0], family: 4 | 6 = 4) => {
    const told: (readonly SeedAddress[])[] = []
    const seeds = new Seeds(source, { family, defaultPort: 47_101, everyMs: 50, clock: systemClock }, (found) =>
      told.push(found),
    )
    await seeds.start()
    return { seeds, told }
  }

  test('are addresses with and without a port, and names', async () => {
    const { seeds, told } = await follow(['10.0.0.7', '10.0.0.7:9', 'localhost:12', '[fd00::7]:9', 'no such name', ''])
    seeds.close()
    expect(told[0]).toEqual([
      { host: '10.0.0.7', port: 47_101 },
      { host: '10.0.0.7', port: 9 },
      { host: '127.0.0.1', port: 12 },
    ])
    const six = await follow(['[fd00::7]:9', 'fd00::8', '10.0.0.7'], 6)
    six.seeds.close()
    expect(six.told[0]).toEqual([
      { host: 'fd00::7', port: 9 },
      { host: 'fd00::8', port: 47_101 },
    ])
  })

  test('in a file are read again when it changes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millpond-seeds-'))
    const file = join(folder, 'seeds')
    writeFileSync(file, '10.0.0.1 # the first\n\n')
    const { seeds, told } = await follow({ file })
    expect(told.at(-1)).toEqual([{ host: '10.0.0.1', port: 47_101 }])
    writeFileSync(file, '10.0.0.2:5\n')
    await until(() => told.at(-1)?.[0]?.host === '10.0.0.2')
    rmSync(folder, { recursive: true })
    const { length } = told
    await until(() => told.length > length + 1)
    expect(told.at(-1)).toEqual([{ host: '10.0.0.2', port: 5 }])
    seeds.close()
  })
})

test('who heard the group long ago gets datagrams of its own again', () => {
  const reach = new Reach('auto')
  reach.know(
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 1 },
    ],
    0,
  )
  reach.at('a', 1)!.heardGroupMs = 1000
  reach.at('a', 1)!.bytes = 1472
  reach.update(1000)
  expect({ group: reach.group, targets: reach.targets.map(({ host }) => host), bytes: reach.bytes }).toEqual({
    group: true,
    targets: ['b'],
    bytes: 1200,
  })
  reach.update(17_000)
  expect({ group: reach.group, targets: reach.targets.length }).toEqual({ group: false, targets: 2 })
})

test('a path is measured: how far, how long a datagram, how long a way', async () => {
  const one = await end()
  const mesh = `test ${process.pid} ${meshes}`
  const measure = await measurePath(mesh, one.address)
  expect(measure.hops).toBe(1)
  expect(measure.datagramBytes).toBeGreaterThanOrEqual(1472)
  expect(measure.roundTripMs).toBeGreaterThan(0)
  expect(await measurePath('another mesh', one.address)).toEqual({
    hops: undefined,
    datagramBytes: undefined,
    roundTripMs: undefined,
  })
})

describe.each(['auto', 'multicast'] as const)('it keeps the contract of Transport, mode %s', (mode) => {
  for (const { name, run } of transportContract)
    test(name, async () => {
      const mesh = `test ${process.pid} ${meshes}`
      await run({
        make: () => new UdpTransport({ mesh, sealed: false, mode }),
        delivered: passed,
      })
    })
})
