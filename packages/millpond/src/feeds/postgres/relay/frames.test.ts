import { expect, test } from 'vitest'
import type { BusMessage } from '../../../core/bus.ts'
import { seededRandom } from '../../../core/random.ts'
import { FrameReader, FrameWriter, parseFrame } from './frames.ts'

/** What a writer publishes, as one list of names. */
function writer() {
  const published: BusMessage[] = []
  const errors: unknown[] = []
  const bus = {
    publish: async (message: BusMessage) => void published.push(message),
    subscribe: () => () => {},
    close: async () => {},
  }
  const made = new FrameWriter(bus, 'channel', 'one.1', (error) => errors.push(error))
  return { made, bus, published, errors, keys: () => published.flatMap(({ keys = [] }) => keys) }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function readAll(keys: readonly string[], reader: FrameReader = new FrameReader()): (string | undefined)[] {
  return keys.flatMap((key) => {
    const result = reader.read(parseFrame(key)!)
    return result === undefined ? [] : [result === 'lost' ? undefined : result.text]
  })
}

const TEXTS = ['', 'short', 'x'.repeat(2000), 'y'.repeat(2001), `${'ü '.repeat(3500)}end`, '1 2 3 4 5']

test('texts of any length arrive whole, in order; those of one turn leave together', async () => {
  const { made, published, keys } = writer()
  for (const text of TEXTS) made.write(text)
  await turn()
  expect(published).toHaveLength(1)
  expect(published[0]).toMatchObject({ cache: 'channel', kind: 'delete' })
  made.write('later')
  await turn()
  expect(published).toHaveLength(2)
  expect(readAll(keys())).toEqual([...TEXTS, 'later'])
  expect(Math.max(...keys().map((key) => key.length))).toBeLessThan(2100)
})

test('what comes again is nothing; who begins in the middle of a text waits for the next', async () => {
  const { made, keys } = writer()
  for (const text of TEXTS) made.write(text)
  await turn()
  expect(readAll(keys().flatMap((key, at) => [key, key, ...(at > 0 ? [keys()[at - 1]!] : [])]))).toEqual(TEXTS)
  for (let from = 0; from < keys().length; from++) {
    const heard = readAll(keys().slice(from))
    expect(heard).toEqual(heard.length > 0 ? TEXTS.slice(-heard.length) : [])
  }
})

test('whatever is lost or swapped, nothing is heard that was not said, and the loss is (seeded)', async () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = seededRandom(seed)
    const { made, keys } = writer()
    const texts = Array.from({ length: 12 }, (_, at) => `${at}`.repeat(Math.floor(random() * 3000) + 1))
    for (const text of texts) made.write(text)
    await turn()
    const at = Math.floor(random() * (keys().length - 1))
    const faulty = keys().slice()
    const [taken] = faulty.splice(at, 1)
    if (random() < 0.5) faulty.splice(at + 1, 0, taken!)
    const heard = readAll(faulty)
    for (const text of heard) expect(text === undefined || texts.includes(text), `seed ${seed}`).toBe(true)
    if (at > 0) expect(heard, `seed ${seed}`).toContain(undefined)
  }
})

test('what is no frame is none', () => {
  for (const key of ['', 'user:17', 'a 1 2', 'a b c d e', `${'s'.repeat(101)} 1 0 0 x`])
    expect(parseFrame(key)).toBeUndefined()
})

test('a bus that rejects, or throws, is told to the writer', async () => {
  const { made, bus, errors } = writer()
  bus.publish = () => Promise.reject(new Error('rejected'))
  made.write('one')
  await turn()
  bus.publish = () => {
    throw new Error('thrown')
  }
  made.write('two')
  await turn()
  expect(errors.map(String)).toEqual(['Error: rejected', 'Error: thrown'])
})
