/** PFADD, PFCOUNT and PFMERGE: how many different elements there are, about. */
import { HyperLogLog } from '../../engine/hyper-log-log.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Span } from '../../engine/span.ts'
import type { Command } from '../command.ts'
import { keysTo, oneKey } from '../key-specs.ts'

/** Notes elements. */
export const pfadd: Command = {
  name: 'pfadd',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Adds elements to a HyperLogLog key. Creates the key if it does not exist.',
  complexity: 'O(1) for each element',
  arity: -2,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['insert']),
  syntax: 'key [element [element ...]]',
  run({ db }, args, reply) {
    const key = args.span(1)
    const old = sketchOf(db, key)
    const sketch = old ?? new HyperLogLog()
    let changed = old === undefined
    for (let at = 2; at < args.count; at++) {
      if (sketch.add(args.bytes.subarray(args.start(at), args.end(at)))) changed = true
    }
    if (changed) {
      store(db, key, sketch)
      db.changed(key, 'pfadd', '$')
    }
    reply.integer(changed ? 1 : 0)
  },
}

/** About how many different elements there are, in one or in all together. */
export const pfcount: Command = {
  name: 'pfcount',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Returns the approximated cardinality of the sets observed by the HyperLogLog keys.',
  complexity: 'O(N) for N keys, each with a large constant',
  arity: -2,
  flags: ['readonly', 'may_replicate'],
  keys: keysTo(-1, 'RO', ['access']),
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    if (args.count === 2) {
      reply.integer(countOne(db, args.span(1)))
      return
    }
    const all = new HyperLogLog()
    for (let at = 1; at < args.count; at++) {
      const sketch = sketchOf(db, args.span(at))
      if (sketch) all.merge(sketch)
    }
    reply.integer(all.count())
  },
}

/** Puts several together. */
export const pfmerge: Command = {
  name: 'pfmerge',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Merges one or more HyperLogLog values into a single key.',
  complexity: 'O(N) for N keys, each with a large constant',
  arity: -2,
  flags: ['write', 'denyoom'],
  keys: [...oneKey('RW', ['access', 'insert']), { first: 2, last: -1, access: 'RO', touches: ['access'] }],
  syntax: 'destkey [sourcekey [sourcekey ...]]',
  run({ db }, args, reply) {
    const all = new HyperLogLog()
    for (let at = 1; at < args.count; at++) {
      const sketch = sketchOf(db, args.span(at))
      if (sketch === undefined) continue
      all.merge(sketch)
      all.isDense ||= sketch.isDense
    }
    const key = args.span(1)
    store(db, key, all)
    db.changed(key, 'pfadd', '$')
    reply.ok()
  },
}

/** What is counted is kept beside the registers until they change. */
function countOne(db: Keyspace, key: Span): number {
  const sketch = sketchOf(db, key)
  if (sketch === undefined) return 0
  if (sketch.known === undefined) {
    sketch.known = sketch.count()
    store(db, key, sketch)
    db.noted(key)
  }
  return sketch.known
}

function sketchOf(db: Keyspace, key: Span): HyperLogLog | undefined {
  const bytes = db.editString(key)?.copy()
  return bytes && HyperLogLog.from(bytes)
}

function store(db: Keyspace, key: Span, sketch: HyperLogLog): void {
  const expiresAtMs = db.expiresAtMs(key)
  const bytes = sketch.toBytes(db.limits.hllSparseMaxBytes)
  db.setString(key, bytes, 0, bytes.length, expiresAtMs < 0 ? Infinity : expiresAtMs)
}
