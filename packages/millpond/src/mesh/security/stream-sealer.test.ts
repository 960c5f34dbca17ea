import { describe, expect, test } from 'vitest'
import type { TransportStream } from '../../core/transport.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { SimulatedNetwork } from '../../testing/simulated-network.ts'
import { newPeerId } from '../wire/peer-id.ts'
import { Keyring } from './keyring.ts'
import { StreamSealer } from './stream-sealer.ts'

const KEY = new Uint8Array(32).fill(7)
const OTHER_KEY = new Uint8Array(32).fill(9)

async function ends() {
  const clock = manualClock()
  const network = new SimulatedNetwork(clock, { seed: 1, link: { delayMs: 0 } })
  const [one, two] = [network.host(), network.host()]
  let accepted: TransportStream | undefined
  for (const { transport } of [one, two])
    await transport.open({
      datagram() {},
      failed() {},
      stream(stream) {
        accepted = stream
      },
    })
  const connecting = one.transport.connect(two.address)
  await clock.advance(1)
  return { clock, network, here: await connecting, there: accepted! }
}

async function sealed(
  keys: readonly Uint8Array[] = [KEY],
  otherKeys = keys,
  spoil: (stream: TransportStream) => TransportStream = (stream) => stream,
) {
  const { clock, network, here, there } = await ends()
  const [self, peer] = [newPeerId(), newPeerId()]
  const opening = new StreamSealer(self, 'shop', new Keyring(keys), clock).open(spoil(here), peer)
  const accepting = new StreamSealer(peer, 'shop', new Keyring(otherKeys), clock).accept(there)
  const both = Promise.allSettled([opening, accepting])
  await clock.advance(1)
  return { clock, network, self, both, opening, accepting, raw: { here, there } }
}

describe.each([
  ['sealed', [KEY]],
  ['not sealed', [] as Uint8Array[]],
])('a stream that is %s', (_, keys) => {
  test('carries messages of any length both ways, to an end', async () => {
    const { clock, self, opening, accepting } = await sealed(keys)
    const out = await opening
    const { from, stream: back } = await accepting
    expect(from).toBe(self)
    const messages = [0, 1, 70_000, 1024 * 1024].map((length) => new Uint8Array(length).fill(length % 251))
    const writing = (async () => {
      for (const message of messages) await out.write(message)
      out.end()
    })()
    const got: Uint8Array[] = []
    const reading = (async () => {
      for (let message = await back.read(); message; message = await back.read()) got.push(message)
      await back.write(Buffer.from('all there'))
    })()
    await clock.advance(10)
    await Promise.all([writing, reading])
    expect(got.map((message) => Buffer.from(message))).toEqual(messages.map((message) => Buffer.from(message)))
    expect(Buffer.from((await out.read())!).toString()).toBe('all there')
    await expect(out.write(new Uint8Array(1))).rejects.toThrow('end')
    await expect(back.write(new Uint8Array(1024 * 1024 + 1))).rejects.toThrow('does not go')
  })

  test.each([
    ['changed', (frames: Uint8Array[]) => (frames[0]![5]! ^= 1)],
    ['left out', (frames: Uint8Array[]) => frames.splice(0, 1)],
    ['repeated', (frames: Uint8Array[]) => frames.splice(1, 0, frames[0]!)],
    ['swapped', (frames: Uint8Array[]) => frames.reverse()],
    ['cut off', (frames: Uint8Array[]) => frames.pop()],
    ['made endless', (frames: Uint8Array[]) => (frames[0]![2]! = 0xff)],
  ])('notices a frame that is %s', async (_, meddle) => {
    const frames: Uint8Array[] = []
    let holds = false
    const { clock, opening, accepting, raw } = await sealed(keys, keys, (stream) => ({
      read: () => stream.read(),
      end: () => {},
      destroy: () => stream.destroy(),
      write: async (bytes) => (holds ? void frames.push(Uint8Array.from(bytes)) : stream.write(bytes)),
    }))
    const out = await opening
    const { stream: back } = await accepting
    holds = true
    await out.write(Buffer.from('one'))
    await out.write(Buffer.from('two'))
    out.end()
    meddle(frames)
    for (const frame of frames) await raw.here.write(frame)
    raw.here.end()
    await clock.advance(5)
    const readAll = async () => {
      while (await back.read());
    }
    await expect(readAll()).rejects.toThrow(/meddled|cut off/)
  })
})

test('no stream comes about with another key, another mesh or another peer', async () => {
  const { both } = await sealed([KEY], [OTHER_KEY])
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const withoutKey = await sealed([], [KEY])
  expect((await withoutKey.both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const ring = await sealed([OTHER_KEY, KEY], [KEY, OTHER_KEY])
  expect((await ring.both).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])

  const { clock, here, there } = await ends()
  const opening = new StreamSealer(1, 'shop', new Keyring([KEY]), clock).open(here, 2)
  const accepting = new StreamSealer(3, 'shop', new Keyring([KEY]), clock).accept(there)
  const both2 = Promise.allSettled([opening, accepting])
  await clock.advance(1)
  expect((await both2).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

test('a recorded stream is refused, and a silent one given up after 5 s', async () => {
  const recording: Uint8Array[] = []
  const first = await sealed([KEY], [KEY], (stream) => ({
    read: () => stream.read(),
    end: () => stream.end(),
    destroy: () => stream.destroy(),
    write: async (bytes) => {
      recording.push(Uint8Array.from(bytes))
      await stream.write(bytes)
    },
  }))
  await (await first.opening).write(Buffer.from('set a'))
  const { clock, here, there } = await ends()
  const peer = Buffer.from(recording[0]!).readUInt32LE(16) + Buffer.from(recording[0]!).readUInt32LE(20) * 2 ** 32
  const accepting = new StreamSealer(peer, 'shop', new Keyring([KEY]), clock).accept(there)
  const rejected = expect(accepting).rejects.toThrow('meddled')
  for (const bytes of recording) await here.write(bytes)
  await clock.advance(1)
  await rejected

  const silent = await ends()
  const waiting = new StreamSealer(1, 'shop', new Keyring([KEY]), silent.clock).accept(silent.there)
  const given = expect(waiting).rejects.toThrow('silent')
  await silent.clock.advance(5001)
  await given
})
