import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PgoutputError } from './bytes.ts'
import { PgoutputDecoder, type PgoutputSink, type Relation } from './pgoutput.ts'
import { columnText, type RowChange } from './row.ts'

type Value = string | null | undefined

/** Writes messages as the server does. */
const int = (bytes: number, value: number | bigint): Buffer => {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return out.subarray(8 - bytes)
}
const text = (value: string): Buffer => Buffer.from(`${value}\0`)
const join = (kind: string, ...parts: Buffer[]): Buffer => Buffer.concat([Buffer.from(kind), ...parts])
const tuple = (values: Value[]): Buffer =>
  Buffer.concat([
    int(2, values.length),
    ...values.map((value) => {
      if (value === null) return Buffer.from('n')
      if (value === undefined) return Buffer.from('u')
      return Buffer.concat([Buffer.from('t'), int(4, Buffer.byteLength(value)), Buffer.from(value)])
    }),
  ])
const begin = (xid: number): Buffer => join('B', int(8, 100), int(8, 0), int(4, xid))
const commit = (lsn: number, end: number): Buffer => join('C', int(1, 0), int(8, lsn), int(8, end), int(8, 0))
const columns = (names: string[]): Buffer[] =>
  names.map((name) =>
    Buffer.concat([int(1, name.startsWith('*') ? 1 : 0), text(name.replace('*', '')), int(4, 25), int(4, 0)]),
  )
const relation = (oid: number, names: string[], subxid?: number): Buffer =>
  join(
    'R',
    xid(subxid),
    int(4, oid),
    text('public'),
    text('t'),
    Buffer.from('d'),
    int(2, names.length),
    ...columns(names),
  )
const xid = (subxid: number | undefined): Buffer => (subxid === undefined ? Buffer.alloc(0) : int(4, subxid))
const insert = (oid: number, row: Value[], subxid?: number): Buffer =>
  join('I', xid(subxid), int(4, oid), Buffer.from('N'), tuple(row))
const update = (oid: number, old: ['K' | 'O', Value[]] | undefined, row: Value[], subxid?: number): Buffer =>
  join(
    'U',
    xid(subxid),
    int(4, oid),
    ...(old ? [Buffer.from(old[0]), tuple(old[1])] : []),
    Buffer.from('N'),
    tuple(row),
  )
const remove = (oid: number, old: ['K' | 'O', Value[]]): Buffer =>
  join('D', int(4, oid), Buffer.from(old[0]), tuple(old[1]))
const truncate = (oids: number[], subxid?: number): Buffer =>
  join('T', xid(subxid), int(4, oids.length), int(1, 0), ...oids.map((oid) => int(4, oid)))
const streamStart = (top: number): Buffer => join('S', int(4, top), int(1, 1))
const streamCommit = (top: number, end: number): Buffer =>
  join('c', int(4, top), int(1, 0), int(8, end - 1), int(8, end), int(8, 0))
const streamAbort = (top: number, sub: number): Buffer => join('A', int(4, top), int(4, sub))

/** Notes what it is told, rows with all their values. */
class Notes implements PgoutputSink {
  readonly said: unknown[] = []
  begin(id: number): void {
    this.said.push(['begin', id])
  }
  commit(commitLsn: bigint, endLsn: bigint): void {
    this.said.push(['commit', commitLsn, endLsn])
  }
  relation(now: Relation, known: Relation | undefined): void {
    this.said.push([
      'relation',
      now.oid,
      now.columns.map((column) => column.name),
      known?.columns.map((column) => column.name),
    ])
  }
  row(change: RowChange, subxid: number | undefined): void {
    const read = (at: number): Value[] | undefined =>
      at < 0 ? undefined : change.relation.columns.map((_, index) => columnText(change.buffer, at, index))
    this.said.push([change.kind, change.relation.oid, read(change.oldAt), read(change.newAt), subxid])
  }
  truncate(relations: readonly Relation[], subxid: number | undefined): void {
    this.said.push(['truncate', relations.map(({ oid }) => oid), subxid])
  }
  streamStart(top: number): void {
    this.said.push(['start', top])
  }
  streamStop(): void {
    this.said.push(['stop'])
  }
  streamCommit(top: number, _: bigint, endLsn: bigint): void {
    this.said.push(['stream commit', top, endLsn])
  }
  streamAbort(top: number, subxid: number): void {
    this.said.push(['abort', top, subxid])
  }
}

function decode(...messages: Buffer[]): unknown[] {
  const notes = new Notes()
  const decoder = new PgoutputDecoder(notes)
  for (const message of messages) {
    // Somewhere inside a larger buffer that is used again, as the client library does.
    const shared = Buffer.concat([Buffer.alloc(25, 0xff), message])
    decoder.decode(shared, 25)
    shared.fill(0xee)
  }
  return notes.said
}

const R = relation(7, ['*id', 'note'])

describe('every kind of message', () => {
  test('rows: new values, old keys, old rows, NULL, unchanged large values', () => {
    const said = decode(
      begin(9),
      R,
      insert(7, ['1', 'ä']),
      update(7, undefined, ['1', undefined]),
      update(7, ['K', ['1', null]], ['2', null]),
      update(7, ['O', ['2', 'x']], ['2', '']),
      remove(7, ['K', ['2', null]]),
      remove(7, ['O', ['2', 'x']]),
      commit(90, 99),
    )
    expect(said).toEqual([
      ['begin', 9],
      ['relation', 7, ['id', 'note'], undefined],
      ['insert', 7, undefined, ['1', 'ä'], undefined],
      ['update', 7, undefined, ['1', undefined], undefined],
      ['update', 7, ['1', null], ['2', null], undefined],
      ['update', 7, ['2', 'x'], ['2', ''], undefined],
      ['delete', 7, ['2', null], undefined, undefined],
      ['delete', 7, ['2', 'x'], undefined, undefined],
      ['commit', 90n, 99n],
    ])
  })

  test('truncate names its relations; origin, type and message are passed over', () => {
    const others = [
      join('O', int(8, 1), text('origin')),
      join('Y', int(4, 1), text('public'), text('mood')),
      join('M', int(1, 1), int(8, 1), text('p'), int(4, 0)),
    ]
    expect(decode(begin(1), R, relation(8, ['*id']), truncate([7, 8]), ...others, commit(1, 2))).toContainEqual([
      'truncate',
      [7, 8],
      undefined,
    ])
  })

  test('streamed blocks carry the subtransaction; outside of them nothing does', () => {
    const said = decode(
      streamStart(5),
      relation(7, ['*id'], 5),
      insert(7, ['1'], 6),
      truncate([7], 5),
      join('E'),
      streamAbort(5, 6),
      streamCommit(5, 40),
      begin(8),
      insert(7, ['2']),
    )
    expect(said).toEqual([
      ['start', 5],
      ['relation', 7, ['id'], undefined],
      ['insert', 7, undefined, ['1'], 6],
      ['truncate', [7], 5],
      ['stop'],
      ['abort', 5, 6],
      ['stream commit', 5, 40n],
      ['begin', 8],
      ['insert', 7, undefined, ['2'], undefined],
    ])
  })

  test('a relation described in a streamed transaction is its own until it commits', () => {
    const streamed = [streamStart(5), relation(7, ['*id', 'extra'], 5), join('E')]
    // Rolled back: others still know the old shape.
    expect(decode(R, ...streamed, streamAbort(5, 5), begin(8), insert(7, ['1', 'x'])).at(-1)).toEqual([
      'insert',
      7,
      undefined,
      ['1', 'x'],
      undefined,
    ])
    expect(decode(R, ...streamed, relation(7, ['*id', 'other'])).at(-1)).toEqual([
      'relation',
      7,
      ['id', 'other'],
      ['id', 'note'],
    ])
    expect(decode(R, ...streamed, streamCommit(5, 1), relation(7, ['*id'])).at(-1)).toEqual([
      'relation',
      7,
      ['id'],
      ['id', 'extra'],
    ])
    expect(() => decode(...streamed, streamAbort(5, 5), begin(8), insert(7, ['1', 'x']))).toThrow(/never described/)
  })
})

describe('bytes that are not the format', () => {
  const messages: [string, Buffer][] = [
    ['begin', begin(1)],
    ['commit', commit(1, 2)],
    ['relation', relation(9, ['*id', 'note'])],
    ['insert', insert(7, ['1', 'abc'])],
    ['update', update(7, ['K', ['1', null]], ['2', 'abc'])],
    ['delete', remove(7, ['O', ['1', 'abc']])],
    ['truncate', truncate([7])],
    ['stream start', streamStart(5)],
    ['stream commit', streamCommit(5, 9)],
    ['stream abort', streamAbort(5, 6)],
  ]

  test.each(messages)('a %s cut short anywhere is refused', (_, message) => {
    expect(() => decode(R, message)).not.toThrow()
    for (let length = 0; length < message.length; length++) {
      expect(() => decode(R, message.subarray(0, length)), `${length} bytes`).toThrow(PgoutputError)
    }
  })

  test('unknown kinds, unknown relations and impossible rows are refused', () => {
    for (const bad of [
      join('?'),
      insert(8, ['1']),
      join('I', int(4, 7), Buffer.from('K'), tuple(['1'])),
      join('D', int(4, 7), Buffer.from('N'), tuple(['1'])),
      join('U', int(4, 7), Buffer.from('K'), tuple(['1']), Buffer.from('X')),
      join('I', int(4, 7), Buffer.from('N'), int(2, 1), Buffer.from('z')),
    ]) {
      expect(() => decode(R, bad), bad.toString('hex')).toThrow(PgoutputError)
    }
  })

  test('whatever the bytes, it decodes or refuses: nothing else is thrown', () => {
    const kinds = fc.constantFrom(...'BCRIUDTSEcAOYM?'.split(''))
    fc.assert(
      fc.property(kinds, fc.uint8Array({ maxLength: 80 }), fc.nat(3), (kind, noise, valid) => {
        const bytes = Buffer.from(noise)
        // Often with a relation that exists, so that the rows themselves are reached.
        if (valid > 0 && bytes.length >= 5) {
          bytes.writeUInt32BE(7, 0)
          bytes[4] = 'NKO'.charCodeAt(valid - 1)
        }
        try {
          decode(R, join(kind, bytes))
        } catch (error) {
          if (!(error instanceof PgoutputError)) throw error
        }
      }),
      { numRuns: 3000 },
    )
  })
})
