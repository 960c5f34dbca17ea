/** Values of keys, from any form that an RDB file or a DUMP payload may have them in. */
import type { EncodingLimits } from '../encoding-limits.ts'
import type { Collection } from '../value.ts'
import { Hash } from '../values/hash.ts'
import { List } from '../values/list.ts'
import { SetValue } from '../values/set.ts'
import { SortedSet } from '../values/sorted-set.ts'
import type { ByteSource } from './byte-source.ts'
import { readIntset, readListpack, readZiplist, readZipmap } from './packed.ts'
import { RdbError } from './rdb-error.ts'
import { TYPE } from './rdb-types.ts'
import { readStream } from './stream-reader.ts'
import { readBytes, readLength, readNumber, readText } from './strings.ts'

/** What a key holds: a string, or a collection. */
export type RdbValue = Buffer | Collection

/** Reads the value of a type. @throws RdbError when it is damaged, or of a module */
export function readValue(source: ByteSource, type: number, limits: EncodingLimits): RdbValue {
  switch (type) {
    case TYPE.STRING:
      return readBytes(source)
    case TYPE.LIST:
      return list(texts(source, 1))
    case TYPE.LIST_ZIPLIST:
      return list(readZiplist(readBytes(source)))
    case TYPE.LIST_QUICKLIST:
    case TYPE.LIST_QUICKLIST_2:
      return list(quicklist(source, type))
    case TYPE.SET:
      return set(texts(source, 1), limits)
    case TYPE.SET_INTSET:
      return set(readIntset(readBytes(source)), limits)
    case TYPE.SET_LISTPACK:
      return set(readListpack(readBytes(source)), limits)
    case TYPE.ZSET:
    case TYPE.ZSET_2:
      return sortedSet(scored(source, type), limits)
    case TYPE.ZSET_ZIPLIST:
      return sortedSet(pairs(readZiplist(readBytes(source))), limits)
    case TYPE.ZSET_LISTPACK:
      return sortedSet(pairs(readListpack(readBytes(source))), limits)
    case TYPE.HASH:
      return hash(texts(source, 2), limits)
    case TYPE.HASH_ZIPMAP:
      return hash(readZipmap(readBytes(source)), limits)
    case TYPE.HASH_ZIPLIST:
      return hash(readZiplist(readBytes(source)), limits)
    case TYPE.HASH_LISTPACK:
      return hash(readListpack(readBytes(source)), limits)
    case TYPE.HASH_METADATA:
      return expiringHash(source, limits)
    case TYPE.STREAM_LISTPACKS:
    case TYPE.STREAM_LISTPACKS_2:
    case TYPE.STREAM_LISTPACKS_3:
      return readStream(source, type, limits)
    case TYPE.MODULE:
    case TYPE.MODULE_2:
      throw new RdbError(`a key holds data of the module '${moduleName(readNumber(source))}', which only that can read`)
    default:
      throw new RdbError(`values of type ${type} are not known`)
  }
}

/** The name of a module type: nine characters of six bits, and a version of ten. */
export function moduleName(id: bigint): string {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  let name = ''
  for (let place = 0n; place < 9n; place++) name = characters[Number((id >> (10n + place * 6n)) & 63n)]! + name
  return name
}

/** So many strings, times `each`. One by one: a count that lies must not take memory. */
function* texts(source: ByteSource, each: 1 | 2): Generator<string> {
  for (let left = readLength(source) * each; left > 0; left--) yield readText(source)
}

const PLAIN_NODE = 1

function* quicklist(source: ByteSource, type: number): Generator<string> {
  for (let left = readLength(source); left > 0; left--) {
    const plain = type === TYPE.LIST_QUICKLIST_2 && readLength(source) === PLAIN_NODE
    if (plain) yield readText(source)
    else yield* type === TYPE.LIST_QUICKLIST ? readZiplist(readBytes(source)) : readListpack(readBytes(source))
  }
}

function* scored(source: ByteSource, type: number): Generator<[string, number]> {
  for (let left = readLength(source); left > 0; left--) {
    const member = readText(source)
    yield [member, type === TYPE.ZSET_2 ? source.double() : spelledDouble(source)]
  }
}

function spelledDouble(source: ByteSource): number {
  const length = source.byte()
  if (length === 255) return Number.NEGATIVE_INFINITY
  if (length === 254) return Number.POSITIVE_INFINITY
  return length === 253 ? Number.NaN : Number(source.take(length).toString('latin1'))
}

function* pairs(words: readonly string[]): Generator<[string, number]> {
  for (let at = 0; at < words.length; at += 2) yield [words[at]!, scoreOf(words[at + 1])]
}

function scoreOf(text: string | undefined): number {
  if (text === 'inf' || text === '-inf') return text === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  return text === undefined || text === '' ? Number.NaN : Number(text)
}

function list(elements: Iterable<string>): List {
  const value = new List()
  for (const element of elements) value.pushTail(element)
  return value
}

function set(members: Iterable<string>, limits: EncodingLimits): SetValue {
  const value = new SetValue(limits)
  for (const member of members) if (!value.add(member)) throw new RdbError('a set has a member twice')
  return value
}

function sortedSet(members: Iterable<[string, number]>, limits: EncodingLimits): SortedSet {
  const value = new SortedSet(limits)
  for (const [member, score] of members) {
    if (Number.isNaN(score) || value.has(member)) throw new RdbError('a sorted set is damaged')
    value.insert(member, score)
  }
  return value
}

function hash(words: Iterable<string>, limits: EncodingLimits): Hash {
  const value = new Hash(limits)
  let field: string | undefined
  for (const word of words) {
    if (field === undefined) field = word
    else {
      if (!value.set(field, word)) throw new RdbError('a hash has a field twice')
      field = undefined
    }
  }
  if (field !== undefined) throw new RdbError('a hash has a field without value')
  return value
}

/** Fields may have expiries, relative to the first. */
function expiringHash(source: ByteSource, limits: EncodingLimits): Hash {
  const value = new Hash(limits)
  const firstMs = Number(source.int64Low())
  for (let left = readLength(source); left > 0; left--) {
    const after = Number(readNumber(source))
    const field = readText(source)
    value.set(field, readText(source))
    if (after !== 0) value.setExpiry(field, firstMs + after - 1)
  }
  return value
}
