/** Searches around a place: what GEOSEARCH, GEORADIUS and their likes have in common. */
import type { Arguments } from '../../engine/arguments.ts'
import { notInteger, ReplyError, syntaxError } from '../../engine/errors.ts'
import { type Place, placeOf } from '../../engine/geo/geo-hash.ts'
import { type GeoFound, type GeoShape, search } from '../../engine/geo/geo-search.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'
import { SORTED_SET, type SortedSet } from '../../engine/values/sorted-set.ts'
import type { Client } from '../client.ts'
import { lengthAt, placeAt, replyPlace, unitAt } from './places.ts'

/** What a search is asked. */
export class GeoQuery {
  center: Place | undefined
  size: GeoShape['size'] | undefined
  /** Meters of the unit in which distances are told. */
  unit = 1
  withPlace = false
  withDistance = false
  withHash = false
  count = 0
  any = false
  order: 'asc' | 'desc' | undefined
  /** Where the answer is stored, and whether distances are its scores. */
  store: Span | undefined
  storesDistance = false

  /** The key is there, and what it holds. */
  readonly set: SortedSet | undefined

  constructor(set: SortedSet | undefined) {
    this.set = set
  }

  /** Takes the place of a member as the center. */
  centerOn(member: string): void {
    const score = this.set?.score(member)
    if (score !== undefined) this.center = placeOf(score)
    else if (this.set) throw new ReplyError('could not decode requested zset member')
    else this.center = { longitude: 0, latitude: 0 }
  }

  /** A radius and its unit, from a word on. */
  circle(args: Arguments, at: number): void {
    const radius = lengthAt(args, at, 'radius')
    if (radius < 0) throw new ReplyError('radius cannot be negative')
    this.unit = unitAt(args, at + 1)
    this.size = { radius: radius * this.unit }
  }

  box(args: Arguments, at: number): void {
    const width = lengthAt(args, at, 'width')
    const height = lengthAt(args, at + 1, 'height')
    if (width < 0 || height < 0) throw new ReplyError('height or width cannot be negative')
    this.unit = unitAt(args, at + 2)
    this.size = { width: width * this.unit, height: height * this.unit }
  }

  /** Reads an option that all searches have; returns how many words it took, 0: it is none. */
  option(args: Arguments, at: number): number {
    if (args.is(at, 'withdist')) this.withDistance = true
    else if (args.is(at, 'withhash')) this.withHash = true
    else if (args.is(at, 'withcoord')) this.withPlace = true
    else if (args.is(at, 'any')) this.any = true
    else if (args.is(at, 'asc')) this.order = 'asc'
    else if (args.is(at, 'desc')) this.order = 'desc'
    else if (args.is(at, 'count') && at + 1 < args.count) {
      this.count = args.integer(at + 1, notInteger)
      if (this.count <= 0) throw new ReplyError('COUNT must be > 0')
      return 2
    } else return 0
    return 1
  }

  /** @throws ReplyError when options do not go together */
  check(name: string): void {
    if (this.any && this.count === 0) throw new ReplyError('the ANY argument requires COUNT argument')
    if (this.store && (this.withDistance || this.withHash || this.withPlace)) {
      throw new ReplyError(
        `${name === 'geosearchstore' ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS'} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`,
      )
    }
    // A bound without ANY means the nearest.
    if (this.count > 0 && !this.any) this.order ??= 'asc'
  }

  /** What lies within the shape, in order, up to the count. */
  find(): GeoFound[] {
    const found: GeoFound[] = []
    if (this.set === undefined) return found
    const most = this.any ? this.count : Infinity
    search(this.set, { center: this.center!, size: this.size! }, (each) => found.push(each) < most)
    const sign = this.order === 'desc' ? -1 : 1
    if (this.order) found.sort((one, other) => sign * (one.meters - other.meters))
    return this.count > 0 ? found.slice(0, this.count) : found
  }
}

/** Reads `FROM...`, `BY...` and options from a word on. */
export function readSearch(query: GeoQuery, args: Arguments, from: number, name: string): void {
  let center: 'member' | 'place' | undefined
  let shape: 'circle' | 'box' | undefined
  for (let at = from; at < args.count; ) {
    const left = args.count - at - 1
    if (args.is(at, 'frommember') && left >= 1 && center !== 'place') {
      query.centerOn(args.text(at + 1))
      center = 'member'
      at += 2
    } else if (args.is(at, 'fromlonlat') && left >= 2 && center !== 'member') {
      query.center = placeAt(args, at + 1)
      center = 'place'
      at += 3
    } else if (args.is(at, 'byradius') && left >= 2 && shape !== 'box') {
      query.circle(args, at + 1)
      shape = 'circle'
      at += 3
    } else if (args.is(at, 'bybox') && left >= 3 && shape !== 'circle') {
      query.box(args, at + 1)
      shape = 'box'
      at += 4
    } else if (args.is(at, 'storedist') && query.store) {
      query.storesDistance = true
      at++
    } else {
      const words = query.option(args, at)
      if (words === 0) throw syntaxError()
      at += words
    }
  }
  const upper = name.toUpperCase()
  if (center === undefined)
    throw new ReplyError(`exactly one of FROMMEMBER or FROMLONLAT can be specified for ${upper}`)
  if (shape === undefined) throw new ReplyError(`exactly one of BYRADIUS and BYBOX can be specified for ${upper}`)
}

/** Runs a search, and answers or stores what it finds. */
export function answerSearch(client: Client, query: GeoQuery, name: string, reply: Reply): void {
  query.check(name)
  const found = query.find()
  if (query.store) storeFound(client, query, found, name, reply)
  else replyFound(query, found, reply)
}

function storeFound({ db }: Client, query: GeoQuery, found: readonly GeoFound[], name: string, reply: Reply): void {
  const key = query.store!
  if (found.length > 0) {
    const set = SORTED_SET.create(db.limits)
    for (const { member, score, meters } of found)
      set.insert(member, query.storesDistance ? meters / query.unit : score)
    db.put(key, set)
    db.changed(key, name === 'geosearchstore' ? 'geosearchstore' : 'georadiusstore', 'z')
  } else if (db.delete(key)) db.changed(key, 'del', 'g')
  reply.integer(found.length)
}

function replyFound(query: GeoQuery, found: readonly GeoFound[], reply: Reply): void {
  const { withDistance, withHash, withPlace, unit } = query
  const parts = 1 + Number(withDistance) + Number(withHash) + Number(withPlace)
  reply.array(found.length)
  for (const each of found) {
    if (parts > 1) reply.array(parts)
    reply.bulk(each.member)
    if (withDistance) reply.bulk((each.meters / unit).toFixed(4))
    if (withHash) reply.integer(each.score)
    if (withPlace) replyPlace(each, reply)
  }
}
