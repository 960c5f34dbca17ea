/** Places of a collection drawn by chance. */

/** One place from 0 to below `size`. */
export function randomPlace(size: number, random: () => number): number {
  return Math.floor(random() * size)
}

/**
 * Up to `count` different places from 0 to below `size`, each as likely as any other; all of them where there are no more.
 * In no particular order, which is not a random one.
 *
 * Robert Floyd's way: as many draws as places, however large the collection is (Bentley and Floyd, "Programming pearls: a sample of brilliance",
 * CACM 1987).
 */
export function distinctPlaces(size: number, count: number, random: () => number): Set<number> {
  const places = new Set<number>()
  for (let last = Math.max(0, size - count); last < size; last++) {
    const place = randomPlace(last + 1, random)
    places.add(places.has(place) ? last : place)
  }
  return places
}
