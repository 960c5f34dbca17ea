/** Reading places, lengths and units from a command, and answering with them. */
import type { Arguments } from '../../engine/arguments.ts'
import { notFloat, ReplyError } from '../../engine/errors.ts'
import { LATITUDE_MAX, LONGITUDE_MAX, type Place } from '../../engine/geo/geo-hash.ts'
import { withoutZeros } from '../../engine/numbers.ts'
import type { Reply } from '../../engine/reply.ts'

const METERS: Readonly<Record<string, number>> = { m: 1, km: 1000, ft: 0.3048, mi: 1609.34 }

/** Longitude and latitude from the word at `at` on. */
export function placeAt(args: Arguments, at: number): Place {
  const longitude = args.float(at, notFloat)
  const latitude = args.float(at + 1, notFloat)
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX) {
    throw new ReplyError(`invalid longitude,latitude pair ${longitude.toFixed(6)},${latitude.toFixed(6)}`)
  }
  return { longitude, latitude }
}

/** Meters of the unit that a word names. */
export function unitAt(args: Arguments, at: number): number {
  const meters = METERS[args.text(at).toLowerCase()]
  if (meters === undefined) throw new ReplyError('unsupported unit provided. please use M, KM, FT, MI')
  return meters
}

/** A length, such as 'radius', of any sign. */
export function lengthAt(args: Arguments, at: number, name: string): number {
  return args.float(at, () => new ReplyError(`need numeric ${name}`))
}

/** Two coordinates, to the digit as Redis writes them. */
export function replyPlace({ longitude, latitude }: Place, reply: Reply): void {
  reply.array(2)
  for (const coordinate of [longitude, latitude]) {
    reply.double(coordinate, withoutZeros(coordinate.toFixed(17)))
  }
}
