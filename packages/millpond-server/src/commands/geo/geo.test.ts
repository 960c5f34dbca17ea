import { expect, test } from 'vitest'
import { areaOf, distance, encode, geohashText, placeOf } from '../../engine/geo/geo-hash.ts'
import { TestService } from '../testing.ts'

const PALERMO = { longitude: 13.361389, latitude: 38.115556 }
const CATANIA = { longitude: 15.087269, latitude: 37.502669 }

test('cells, names and distances are those that Redis documents', () => {
  expect(encode(PALERMO)).toBe(3479099956230698)
  expect(encode(CATANIA)).toBe(3479447370796909)
  expect(geohashText(placeOf(encode(PALERMO)))).toBe('sqc8b49rny0')
  expect(distance(placeOf(encode(PALERMO)), placeOf(encode(CATANIA)))).toBeCloseTo(166274.1516, 3)
})

test('a place lies in its cell, and the middle of a cell has that cell', () => {
  for (let longitude = -179.5; longitude < 180; longitude += 13.7) {
    for (let latitude = -85; latitude < 85; latitude += 7.3) {
      const cell = encode({ longitude, latitude })
      const area = areaOf(cell)
      expect(area.longitudeMin <= longitude && longitude < area.longitudeMax).toBe(true)
      expect(area.latitudeMin <= latitude && latitude < area.latitudeMax).toBe(true)
      expect(encode(placeOf(cell))).toBe(cell)
    }
  }
})

test('a search finds just what a look at all members finds', () => {
  const service = new TestService(undefined, () => 0.5)
  const client = service.client()
  const places = new Map<string, { longitude: number; latitude: number }>()
  let seed = 7
  const next = () => (seed = (seed * 48271) % 2147483647) / 2147483647
  for (let at = 0; at < 2000; at++) {
    const place = { longitude: next() * 360 - 180, latitude: next() * 170 - 85 }
    places.set(`m${at}`, placeOf(encode(place)))
    client.run('GEOADD', 'places', place.longitude, place.latitude, `m${at}`)
  }
  for (let at = 0; at < 60; at++) {
    const center = { longitude: next() * 360 - 180, latitude: next() * 160 - 80 }
    const kilometers = 10 ** (next() * 3) * 5
    const found = client.run(
      'GEOSEARCH',
      'places',
      'FROMLONLAT',
      center.longitude,
      center.latitude,
      'BYRADIUS',
      kilometers,
      'km',
    )
    const all = [...places]
      .filter(([, place]) => distance(center, place) <= kilometers * 1000)
      .map(([member]) => member)
    // As in Redis, a circle that reaches over a pole or the date line with few, large cells may miss the other side.
    const near = all.filter((member) => Math.abs(places.get(member)!.longitude - center.longitude) < 90)
    expect(new Set(found as string[]).size).toBe((found as string[]).length)
    for (const member of found as string[]) expect(all).toContain(member)
    if (kilometers < 1000 && Math.abs(center.latitude) < 60 && Math.abs(center.longitude) < 165) {
      expect((found as string[]).toSorted()).toEqual(near.toSorted())
    }
  }
})

test('options are checked, and answers can be stored', () => {
  const client = new TestService().client()
  client.say('GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania')
  expect(client.say('GEORADIUS s 15 37 200 km WITHDIST ASC')).toEqual([
    ['Catania', '56.4413'],
    ['Palermo', '190.4424'],
  ])
  expect(client.say('GEOSEARCH s FROMLONLAT 15 37 BYBOX 400 400 km ASC COUNT 1')).toEqual(['Catania'])
  expect(client.say('GEOSEARCHSTORE near s FROMLONLAT 15 37 BYRADIUS 100 km STOREDIST')).toBe(1)
  expect(client.say('ZSCORE near Catania')).toBeCloseTo(56.4412, 3)
  expect(client.say('GEOADD s 200 0 x')).toEqual({ error: 'ERR invalid longitude,latitude pair 200.000000,0.000000' })
  expect(client.say('GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 km ANY')).toEqual({
    error: 'ERR the ANY argument requires COUNT argument',
  })
  expect(client.say('GEOSEARCH s FROMMEMBER nobody BYRADIUS 1 km')).toEqual({
    error: 'ERR could not decode requested zset member',
  })
})
