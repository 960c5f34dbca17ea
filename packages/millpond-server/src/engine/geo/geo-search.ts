/** Finds what lies within a circle or a box: at most nine cells of the earth, looked through for what is near enough. */
import type { SortedSet } from '../values/sorted-set.ts'
import {
  type Area,
  areaOf,
  distance,
  encode,
  latitudeDegrees,
  latitudeDistance,
  longitudeDegrees,
  neighbour,
  type Place,
  placeOf,
  STEPS_MAX,
} from './geo-hash.ts'

/** Where to look. Lengths in meters. */
export interface GeoShape {
  readonly center: Place
  /** Half the size of a circle; or the sides of a box whose middle is the center. */
  readonly size: { readonly radius: number } | { readonly width: number; readonly height: number }
}

/** What was found. */
export interface GeoFound extends Place {
  readonly member: string
  readonly score: number
  /** From the center, in meters. */
  readonly meters: number
}

/** Half of the equator in the Mercator projection. */
const MERCATOR_METERS = 20037726.37
/** The middle first, then as Redis looks: what is found without an order comes so. */
const AROUND: readonly (readonly [east: number, north: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
]

/** Tells what lies within a shape, cell by cell, until `tell` returns false. */
export function search(set: SortedSet, shape: GeoShape, tell: (found: GeoFound) => boolean): void {
  const { cells, steps } = cellsOf(shape)
  const width = 2 ** (2 * (STEPS_MAX - steps))
  let going = true
  for (const cell of cells) {
    const from = set.rankOfScore(cell * width, false)
    const to = set.rankOfScore((cell + 1) * width, false)
    set.visit(from, to, false, (member, score) => {
      if (!going) return
      const place = placeOf(score)
      const meters = within(shape, place)
      if (meters !== undefined) going = tell({ ...place, member, score, meters })
    })
  }
}

/** Meters from the center of a shape; `undefined`: outside of it. */
function within({ center, size }: GeoShape, place: Place): number | undefined {
  if ('radius' in size) {
    const meters = distance(center, place)
    return meters <= size.radius ? meters : undefined
  }
  if (latitudeDistance(place.latitude, center.latitude) > size.height / 2) return undefined
  const across = distance(place, { longitude: center.longitude, latitude: place.latitude })
  return across > size.width / 2 ? undefined : distance(center, place)
}

/** The cells that cover a shape, each once. */
function cellsOf(shape: GeoShape): { readonly cells: ReadonlySet<number>; readonly steps: number } {
  const { center, size } = shape
  const bounds = boundsOf(shape)
  const radius = 'radius' in size ? size.radius : Math.hypot(size.width / 2, size.height / 2)
  let steps = stepsFor(radius, center.latitude)
  if (steps > 1 && !isCovered(center, steps, bounds)) steps--
  const middle = encode(center, steps)
  const area = areaOf(middle, steps)
  const cells = new Set<number>()
  for (const [east, north] of AROUND) {
    // Where cells are small, those beyond the shape are left out.
    const beyond =
      steps >= 2 &&
      ((north < 0 && area.latitudeMin < bounds.latitudeMin) ||
        (north > 0 && area.latitudeMax > bounds.latitudeMax) ||
        (east < 0 && area.longitudeMin < bounds.longitudeMin) ||
        (east > 0 && area.longitudeMax > bounds.longitudeMax))
    if (!beyond) cells.add(neighbour(middle, steps, east, north))
  }
  return { cells, steps }
}

/** Bits of each coordinate of cells that are about as large as the radius; near the poles they are narrower. */
function stepsFor(radius: number, latitude: number): number {
  if (radius === 0) return STEPS_MAX
  let steps = 1
  for (let range = radius; range < MERCATOR_METERS; range *= 2) steps++
  steps -= 2
  if (Math.abs(latitude) > 66) steps--
  if (Math.abs(latitude) > 80) steps--
  return Math.max(1, Math.min(STEPS_MAX, steps))
}

/** Whether the cells around that of the center reach to the bounds. */
function isCovered(center: Place, steps: number, bounds: Area): boolean {
  const middle = encode(center, steps)
  const to = (east: number, north: number): Area => areaOf(neighbour(middle, steps, east, north), steps)
  return (
    to(0, 1).latitudeMax >= bounds.latitudeMax &&
    to(0, -1).latitudeMin <= bounds.latitudeMin &&
    to(1, 0).longitudeMax >= bounds.longitudeMax &&
    to(-1, 0).longitudeMin <= bounds.longitudeMin
  )
}

/** A box in degrees around a shape: as wide as at the end of it that is nearer to a pole. */
function boundsOf({ center: { longitude, latitude }, size }: GeoShape): Area {
  const height = 'radius' in size ? size.radius : size.height / 2
  const width = 'radius' in size ? size.radius : size.width / 2
  const rows = latitudeDegrees(height)
  const columns = longitudeDegrees(width, latitude < 0 ? latitude - rows : latitude + rows)
  return {
    longitudeMin: longitude - columns,
    longitudeMax: longitude + columns,
    latitudeMin: latitude - rows,
    latitudeMax: latitude + rows,
  }
}
