import { expect, test } from 'vitest'
import { ChangedTags } from './changed-tags.ts'
import type { Relation } from './pgoutput.ts'
import type { RowChange } from './row.ts'
import { WatchedChanges } from './watched-changes.ts'
import type { Range, Watch, WatchedRows } from './watched-rows.ts'
import { Watches } from './watches.ts'

const table = { schema: 'public', table: 'orders' }
const INT4 = 23
const TEXT = 25

/** `orders (id int primary key, tenant text, price int, note text)`. */
function relationOf(identity: 'd' | 'f'): Relation {
  const column = (name: string, typeOid: number) => ({ name, typeOid, identity: identity === 'f' || name === 'id' })
  const columns = [column('id', INT4), column('tenant', TEXT), column('price', INT4), column('note', TEXT)]
  return { oid: 1, schema: 'public', table: 'orders', identity, columns }
}

type Row = readonly (string | null | undefined)[]

/** A change of a row, as the stream would bring it. */
function change(relation: Relation, before: Row | undefined, after: Row | undefined): RowChange {
  const old = before && tuple(before)
  const fresh = after && tuple(after)
  return {
    kind: after === undefined ? 'delete' : before === undefined ? 'insert' : 'update',
    relation,
    buffer: Buffer.concat([old ?? Buffer.alloc(0), fresh ?? Buffer.alloc(0)]),
    oldAt: old ? 0 : -1,
    newAt: fresh ? (old?.length ?? 0) : -1,
  }
}

function tuple(row: Row): Buffer {
  const parts = row.map((text) => {
    if (text === null) return Buffer.from('n')
    if (text === undefined) return Buffer.from('u')
    const head = Buffer.from('t\0\0\0\0')
    head.writeUInt32BE(Buffer.byteLength(text), 1)
    return Buffer.concat([head, Buffer.from(text)])
  })
  return Buffer.concat([Buffer.from([0, row.length]), ...parts])
}

function rangeTag(watch: Watch, values: readonly string[], range: Range): string {
  return watch.tags([values], range)[1]!
}

function watching(rows: Partial<WatchedRows>, identity: 'd' | 'f' = 'f') {
  const forgotten: string[] = []
  const watches = new Watches({ isNew() {}, forgotten: (tags) => forgotten.push(...tags) })
  const watch = watches.watch({ table, columns: [], used: undefined, ...rows })
  const relation = relationOf(identity)
  const changes = new WatchedChanges(watch, relation)
  return {
    watch,
    watches,
    forgotten,
    insert: (row: Row) => changes.tagsOf(change(relation, undefined, row)),
    update: (before: Row, after: Row) => changes.tagsOf(change(relation, before, after)),
    /** An update whose old row the stream does not carry. */
    blindUpdate: (after: Row) => changes.tagsOf({ ...change(relation, undefined, after), kind: 'update' }),
    remove: (row: Row) => changes.tagsOf(change(relation, row, undefined)),
  }
}

test('a change gives the tags of its old and of its new values', () => {
  const { watch, insert, update, remove } = watching({ columns: ['tenant'] })
  const [acme, shop] = [watch.valuesTag(['acme']), watch.valuesTag(['shop'])]
  expect(acme).not.toBe(shop)
  expect(insert(['1', 'acme', '5', null])).toEqual([acme])
  expect(remove(['1', 'acme', '5', null])).toEqual([acme])
  expect(new Set(update(['1', 'acme', '5', null], ['1', 'shop', '5', null]))).toEqual(new Set([acme, shop]))
})

test('NULL equals nothing; values that hold separators are told apart', () => {
  const { watch, insert } = watching({ columns: ['tenant', 'note'] })
  expect(insert(['1', null, '5', 'x'])).toEqual([])
  expect(watch.valuesTag(['a,b', 'c'])).not.toBe(watch.valuesTag(['a', 'b,c']))
  expect(insert(['1', 'a,b', '5', 'c#1'])).toEqual([watch.valuesTag(['a,b', 'c#1'])])
})

test('an update that leaves all used columns alone does not matter', () => {
  const { watch, update } = watching({ columns: ['tenant'], used: ['tenant', 'price'] })
  expect(update(['1', 'acme', '5', 'x'], ['1', 'acme', '5', 'y'])).toEqual([])
  expect(update(['1', 'acme', '5', 'x'], ['1', 'acme', '6', 'x'])).toContain(watch.valuesTag(['acme']))
  // A column that the stream does not carry may have changed.
  const generated = watching({ columns: ['tenant'], used: ['tenant', 'total'] })
  expect(generated.update(['1', 'acme', '5', 'x'], ['1', 'acme', '5', 'y'])).toContain(
    generated.watch.valuesTag(['acme']),
  )
})

test('where the old values are not known, the tag of the whole watch is given', () => {
  const byTenant = watching({ columns: ['tenant'] }, 'd')
  expect(byTenant.blindUpdate(['1', 'acme', '5', null])).toContain(byTenant.watch.tag)
  expect(byTenant.remove(['1', null, null, null])).toEqual([byTenant.watch.tag])
  expect(byTenant.insert(['1', 'acme', '5', null])).toEqual([byTenant.watch.valuesTag(['acme'])])
  // The primary key is in the identity: without an old row it has not changed.
  const byId = watching({ columns: ['id'] }, 'd')
  expect(new Set(byId.blindUpdate(['1', 'acme', '5', null]))).toEqual(new Set([byId.watch.valuesTag(['1'])]))
  expect(byId.remove(['1', null, null, null])).toEqual([byId.watch.valuesTag(['1'])])
  // Nor has anything that is used.
  expect(watching({ columns: ['id'], used: ['id'] }, 'd').blindUpdate(['1', 'acme', '5', null])).toEqual([])
})

test('a large value that was left alone is read from the old row, or unknown', () => {
  const known = watching({ columns: ['note'] })
  expect(new Set(known.update(['1', 'acme', '5', 'big'], ['1', 'acme', '6', undefined]))).toEqual(
    new Set([known.watch.valuesTag(['big'])]),
  )
  const unknown = watching({ columns: ['note'] }, 'd')
  expect(unknown.blindUpdate(['1', 'acme', '6', undefined])).toContain(unknown.watch.tag)
})

test('a column that the relation lacks makes the watch blind', () => {
  const { watch, insert } = watching({ columns: ['gone'] })
  expect(insert(['1', 'acme', '5', null])).toEqual([watch.tag])
})

test('a range is told of the values inside of it', () => {
  const { watch, insert, update } = watching({ columns: ['tenant'], range: 'price' })
  const low = rangeTag(watch, ['acme'], { low: undefined, high: 10n })
  const middle = rangeTag(watch, ['acme'], { low: 5n, high: 20n })
  rangeTag(watch, ['shop'], { low: undefined, high: undefined })
  expect(insert(['1', 'acme', '3', null])).toEqual([low])
  expect(insert(['1', 'acme', '10', null])).toEqual([low, middle])
  expect(insert(['1', 'acme', '21', null])).toEqual([])
  expect(insert(['1', 'acme', null, null])).toEqual([])
  expect(update(['1', 'acme', '1', null], ['1', 'acme', '15', null])).toEqual([low, middle])
})

test('of too many ranges the oldest is handed back, to be voided', () => {
  const { watch, insert, forgotten } = watching({ range: 'price' })
  const tags = Array.from({ length: 1001 }, (_, at) => rangeTag(watch, [], { low: BigInt(at), high: BigInt(at) }))
  expect(forgotten).toEqual([tags[0]])
  expect(insert(['1', 'acme', '0', null])).toEqual([])
  expect(insert(['1', 'acme', '1000', null])).toEqual([tags[1000]])
})

test('one name for one watch, in every process', () => {
  const tagOf = (rows: Partial<WatchedRows>) => watching(rows).watch.tag
  expect(tagOf({ columns: ['tenant'], used: ['id'] })).toBe(tagOf({ columns: ['tenant'], used: ['id'] }))
  const all = [{}, { columns: ['tenant'] }, { columns: ['id'] }, { used: ['id'] }, { range: 'price' }].map(tagOf)
  expect(new Set(all).size).toBe(all.length)
})

test('what was read before a watch began, or a range was named, is told by the tag of the whole watch', () => {
  const watches = new Watches()
  const half = new ChangedTags(1000, watches)
  half.row('orders', '1')
  const watch = watches.watch({ table, columns: ['tenant'], range: 'price', used: undefined })
  expect(half.list()).toEqual(['orders', 'orders:1', watch.tag])
  const later = new ChangedTags(1000, watches)
  later.row('orders', '1')
  expect(later.list()).toEqual(['orders', 'orders:1'])
  rangeTag(watch, ['acme'], { low: 1n, high: 2n })
  expect(later.list()).toContain(watch.tag)
})

test('values of a kind that does not fit the type of the column cannot be told apart', () => {
  const whole = watching({ columns: ['id'], kinds: ['whole'] })
  expect(whole.insert(['7', 'acme', '5', null])).toEqual([whole.watch.valuesTag(['7'])])
  // `= '07'` is true of the number 7: nobody can say what a text means there.
  const text = watching({ columns: ['id'], kinds: ['text'] })
  expect(text.insert(['7', 'acme', '5', null])).toEqual([text.watch.tag])
  const wholeText = watching({ columns: ['tenant'], kinds: ['whole'] })
  expect(wholeText.insert(['1', '7', '5', null])).toEqual([wholeText.watch.tag])
  const id = '0B0A3A0E-7B7B-4B4B-8B8B-9B9B9B9B9B9B'
  const uuid = watching({ columns: ['tenant'], kinds: ['uuid'] })
  expect(uuid.insert(['1', id, '5', null])).toEqual([uuid.watch.valuesTag([id.toLowerCase()])])
})
