/**
 * Places on the earth as whole numbers of 52 bits: longitude and latitude of 26 bits each, bit by bit in turns, so that places
 * with the same first bits lie in the same cell. A sorted set of them finds what is near as a few ranges of scores.
 *
 * Niemeyer, geohash (2008); Morton, "A computer oriented geodetic data base" (1966). Limits and cells are those of Redis.
 */

/** Longitude and latitude in degrees. */
export interface Place {
  readonly longitude: number
  readonly latitude: number
}

/** A cell of the earth: where it begins and ends, in degrees. */
export interface Area {
  readonly longitudeMin: number
  readonly longitudeMax: number
  readonly latitudeMin: number
  readonly latitudeMax: number
}

/** Bits of each coordinate. */
export const STEPS_MAX = 26
export const LONGITUDE_MAX = 180
/** The Mercator projection ends here. */
export const LATITUDE_MAX = 85.05112878
const EARTH_METERS = 6372797.560856
const LETTERS = '0123456789bcdefghjkmnpqrstuvwxyz'
const HALF_BITS = 13

/** The cell of a place with `steps` bits of each coordinate: a number of twice as many bits. */
export function encode(
  { longitude, latitude }: Place,
  steps: number = STEPS_MAX,
  latitudeMax: number = LATITUDE_MAX,
): number {
  const cells = 2 ** steps
  const column = Math.floor(((longitude + LONGITUDE_MAX) / (2 * LONGITUDE_MAX)) * cells)
  const row = Math.floor(((latitude + latitudeMax) / (2 * latitudeMax)) * cells)
  return interleave(row, column)
}

/** Where a cell lies. */
export function areaOf(cell: number, steps: number = STEPS_MAX): Area {
  const cells = 2 ** steps
  const row = separate(cell)
  const column = separate(Math.floor(cell / 2))
  return {
    longitudeMin: -LONGITUDE_MAX + (column / cells) * 2 * LONGITUDE_MAX,
    longitudeMax: -LONGITUDE_MAX + ((column + 1) / cells) * 2 * LONGITUDE_MAX,
    latitudeMin: -LATITUDE_MAX + (row / cells) * 2 * LATITUDE_MAX,
    latitudeMax: -LATITUDE_MAX + ((row + 1) / cells) * 2 * LATITUDE_MAX,
  }
}

/** The middle of a cell of 52 bits: the place that a score stands for. */
export function placeOf(score: number): Place {
  const { longitudeMin, longitudeMax, latitudeMin, latitudeMax } = areaOf(score)
  return {
    longitude: clamp((longitudeMin + longitudeMax) / 2, LONGITUDE_MAX),
    latitude: clamp((latitudeMin + latitudeMax) / 2, LATITUDE_MAX),
  }
}

/** The cell so many columns to the east and rows to the north, around the earth. */
export function neighbour(cell: number, steps: number, east: number, north: number): number {
  const cells = 2 ** steps
  const row = (separate(cell) + north + cells) % cells
  const column = (separate(Math.floor(cell / 2)) + east + cells) % cells
  return interleave(row, column)
}

/** The name of a place as geohash.org writes it: 11 letters, the last of which says nothing. */
export function geohashText(place: Place): string {
  const bits = encode(place, STEPS_MAX, 90)
  let text = ''
  for (let at = 0; at < 10; at++) text += LETTERS[Math.floor(bits / 2 ** (52 - (at + 1) * 5)) % 32]
  return `${text}0`
}

/** Meters along a great circle (haversine formula). */
export function distance(one: Place, other: Place): number {
  const latitude1 = radians(one.latitude)
  const latitude2 = radians(other.latitude)
  const v = Math.sin((radians(other.longitude) - radians(one.longitude)) / 2)
  if (v === 0) return latitudeDistance(one.latitude, other.latitude)
  const u = Math.sin((latitude2 - latitude1) / 2)
  return 2 * EARTH_METERS * Math.asin(Math.sqrt(u * u + Math.cos(latitude1) * Math.cos(latitude2) * v * v))
}

/** Meters between two latitudes. */
export function latitudeDistance(one: number, other: number): number {
  return EARTH_METERS * Math.abs(radians(other) - radians(one))
}

/** Degrees of latitude that so many meters are. */
export function latitudeDegrees(meters: number): number {
  return degrees(meters / EARTH_METERS)
}

/** Degrees of longitude that so many meters are at a latitude. */
export function longitudeDegrees(meters: number, latitude: number): number {
  return degrees(meters / EARTH_METERS / Math.cos(radians(latitude)))
}

function radians(angle: number): number {
  return angle * (Math.PI / 180)
}

function degrees(angle: number): number {
  return angle / (Math.PI / 180)
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value))
}

/** Bits of the row at even places, those of the column at odd ones. Numbers of 52 bits: too long for bit operations at once. */
function interleave(row: number, column: number): number {
  const low = spread(row % 2 ** HALF_BITS) + 2 * spread(column % 2 ** HALF_BITS)
  const high = spread(Math.floor(row / 2 ** HALF_BITS)) + 2 * spread(Math.floor(column / 2 ** HALF_BITS))
  return high * 2 ** (2 * HALF_BITS) + low
}

/** The bits at even places. */
function separate(bits: number): number {
  const low = gather(bits % 2 ** (2 * HALF_BITS))
  return gather(Math.floor(bits / 2 ** (2 * HALF_BITS)) % 2 ** (2 * HALF_BITS)) * 2 ** HALF_BITS + low
}

/** 13 bits, each followed by a zero. */
function spread(bits: number): number {
  let spaced = (bits | (bits << 8)) & 0x00ff00ff
  spaced = (spaced | (spaced << 4)) & 0x0f0f0f0f
  spaced = (spaced | (spaced << 2)) & 0x33333333
  return (spaced | (spaced << 1)) & 0x55555555
}

function gather(spaced: number): number {
  let bits = spaced & 0x55555555
  bits = (bits | (bits >>> 1)) & 0x33333333
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f
  bits = (bits | (bits >>> 4)) & 0x00ff00ff
  return (bits | (bits >>> 8)) & 0x0000ffff
}
