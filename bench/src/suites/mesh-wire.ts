/** The suite `mesh-wire`: what sealing, opening and encoding cost, and what more than a million hostile datagrams achieve. */

import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { Keyring } from '../../../packages/millpond/src/mesh/security/keyring.ts'
import { PacketSealer } from '../../../packages/millpond/src/mesh/security/packet-sealer.ts'
import { newPeerId } from '../../../packages/millpond/src/mesh/wire/peer-id.ts'
import { valueCodec } from '../../../packages/millpond/src/mesh/wire/value-codec.ts'
import { manualClock } from '../../../packages/millpond/src/testing/manual-clock.ts'
import { alternate, type Contender } from '../alternate.ts'
import { atMost, exactly, type Row, row, type Suite, type SuiteContext } from '../suite.ts'
import { timed } from '../timed.ts'
import { floodPackets, floodValues } from './mesh-wire/strangers.ts'

const KEY = randomBytes(32)

export const suite: Suite = {
  name: 'mesh-wire',
  summary:
    'datagrams of the mesh: sealing and opening beside bare node:crypto, values beside JSON, floods of strangers',
  async run(context) {
    return [...(await sealing(context)), ...(await values(context)), ...floods(context)]
  },
}

/** One contender that repeats an operation. */
function repeated(name: string, once: () => unknown): Contender {
  const turn = timed((count) => {
    for (let at = 0; at < count; at++) once()
  })
  return { name, turn }
}

async function sealing(context: SuiteContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const bytes of [200, 1350]) {
    const contenders = [...sealers(bytes)]
    const figures = await alternate(contenders, {
      rounds: context.rounds(15),
      progress: (round) => context.progress(`${bytes} bytes, round ${round + 1}`),
    })
    rows.push(
      row(`seal ${bytes} bytes`, figures.spread('seal'), 'ns'),
      row(`seal ${bytes} bytes / bare node:crypto`, figures.ratio('seal', 'bare seal'), 'times', atMost(1.35)),
      row(`seal and open ${bytes} bytes`, figures.spread('seal and open'), 'ns'),
      row(
        `seal and open ${bytes} bytes / bare node:crypto`,
        figures.ratio('seal and open', 'bare both'),
        'times',
        atMost(1.35),
      ),
      row(`seal and open ${bytes} bytes without a key`, figures.spread('checksum'), 'ns'),
    )
  }
  return rows
}

function* sealers(bytes: number): Iterable<Contender> {
  const body = randomBytes(bytes)
  const clock = manualClock()
  const make = (keys: readonly Uint8Array[]) => new PacketSealer(newPeerId(), 'bench', new Keyring(keys), clock)
  const [here, there] = [make([KEY]), make([KEY])]
  const [plainHere, plainThere] = [make([]), make([])]
  yield repeated('seal', () => here.seal(1, 0, 1, 1, body))
  yield repeated('seal and open', () => {
    if (!there.open(here.seal(1, 0, 1, 1, body))) throw new Error('a packet was refused')
  })
  yield repeated('checksum', () => {
    if (!plainThere.open(plainHere.seal(1, 0, 1, 1, body))) throw new Error('a packet was refused')
  })
  yield repeated('bare seal', () => bareSeal(body))
  yield repeated('bare both', () => bareOpen(bareSeal(body)))
}

const key = createSecretKey(KEY)
const nonce = Buffer.alloc(12)
const head = Buffer.alloc(32)

/** What nobody who uses node:crypto for a datagram can leave out. */
function bareSeal(body: Buffer): Buffer {
  const datagram = Buffer.allocUnsafe(body.length + 48)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(head)
  datagram.set(cipher.update(body), 32)
  cipher.final()
  datagram.set(cipher.getAuthTag(), body.length + 32)
  return datagram
}

function bareOpen(datagram: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(head)
  decipher.setAuthTag(datagram.subarray(datagram.length - 16))
  const body = decipher.update(datagram.subarray(32, datagram.length - 16))
  decipher.final()
  return body
}

async function values(context: SuiteContext): Promise<Row[]> {
  const user = { id: 17, name: 'Ada Lovelace', email: 'ada@example.org', active: true, score: 4.5 }
  const encoded = valueCodec.encode(user)
  const json = Buffer.from(JSON.stringify(user))
  const figures = await alternate(
    [
      repeated('encode', () => valueCodec.encode(user)),
      repeated('decode', () => valueCodec.decode(encoded)),
      repeated('JSON encode', () => Buffer.from(JSON.stringify(user))),
      repeated('JSON decode', () => JSON.parse(json.toString()) as unknown),
    ],
    { rounds: context.rounds(15), progress: (round) => context.progress(`values, round ${round + 1}`) },
  )
  return [
    row('encode an object of five fields', figures.spread('encode'), 'ns'),
    row('encode / JSON into a Buffer', figures.ratio('encode', 'JSON encode'), 'times', atMost(1)),
    row('decode an object of five fields', figures.spread('decode'), 'ns'),
    row('decode / JSON from a Buffer', figures.ratio('decode', 'JSON decode'), 'times', atMost(1.5)),
    row('bytes / JSON', encoded.length / json.length, 'times', atMost(1)),
  ]
}

function floods(context: SuiteContext): Row[] {
  const count = context.quick ? 50_000 : 600_000
  const seed = 20_261_121
  context.progress(`${2 * count} hostile datagrams`)
  const sealed = floodPackets(count, [KEY], seed)
  const plain = floodPackets(count, [], seed + 1)
  context.note(
    `Floods: seed ${seed}. Noise, noise behind a good head, recordings, and recordings with a bit flipped, cut, grown, renumbered or from\n` +
      'another sender, to a member with a key and to one without. Their cost includes making them.',
  )
  return [
    row('hostile datagrams', sealed.datagrams + plain.datagrams, 'datagrams'),
    row('of them opened', sealed.opened + plain.opened, 'datagrams', exactly(0)),
    row('of them made open throw', sealed.threw + plain.threw, 'datagrams', exactly(0)),
    row('senders remembered of them', sealed.sendersAdded + plain.sendersAdded, 'senders', exactly(0)),
    row('cost of one', sealed.cost * 1000, 'ns', atMost(15_000)),
    row('hostile values that threw anything but ValueError', floodValues(count, seed), 'values', exactly(0)),
  ]
}
