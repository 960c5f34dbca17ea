/** What a read and a write cost the caller, beside the table of the memory engine, in this process. */
import { HeapTable } from 'millpond/memory'
import { joinMesh } from 'millpond/mesh'
import { alternate } from '../../alternate.ts'
import { atMost, type Row, row } from '../../suite.ts'
import { timed } from '../../timed.ts'

const ENTRIES = 10_000
const VALUE = 'x'.repeat(64)

export async function localCost(): Promise<Row[]> {
  const mesh = await joinMesh({
    name: `bench-local-${process.pid}`,
    key: Buffer.alloc(32, 7).toString('base64'),
    joinTimeout: 0,
    transport: { interface: '127.0.0.1' },
  })
  const map = mesh.map<string>('bench')
  const table = new HeapTable<string>({ maxEntries: ENTRIES * 2 })
  const keys = Array.from({ length: ENTRIES }, (_, at) => `key-${at}`)
  for (const key of keys) {
    map.set(key, VALUE)
    table.set(key, VALUE)
  }
  let at = 0
  const each = (run: (key: string) => unknown) => (count: number) => {
    for (let done = 0; done < count; done++) run(keys[(at = (at + 7919) % ENTRIES)]!)
  }
  const contenders = [
    { name: 'table get', turn: timed(each((key) => table.get(key))) },
    { name: 'map get', turn: timed(each((key) => map.get(key))) },
    { name: 'map set', turn: timed(each((key) => map.set(key, VALUE))) },
  ]
  const figures = await alternate(contenders, { rounds: 15, warmup: 3 })
  await mesh.leave()
  const tableNs = figures.spread('table get').median
  return [
    row(
      "a local get, over the memory engine's",
      (figures.spread('map get').median - tableNs) / 1000,
      'microseconds',
      atMost(0.15),
    ),
    row("a local set, the caller's time", figures.spread('map set').median / 1000, 'microseconds', atMost(5)),
  ]
}
