/** A process that joins to look only. */
import { afterEach, expect, test } from 'vitest'
import { type Member, MeshCluster } from './mesh.fixture.ts'

let cluster: MeshCluster

afterEach(() => {
  expect(cluster.errors).toEqual([])
})

test('it sees and asks everyone, and takes over nothing', async () => {
  cluster = new MeshCluster(1)
  const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
  const map = a.mesh.map<string>('prices')
  for (let at = 0; at < 2000; at++) map.set(`k${at}`, 'x'.repeat(100))
  await cluster.until(map.settled())
  const { streamBytes } = cluster.network.counts()
  const { mesh } = await cluster.join({ observe: true })
  await cluster.untilTrue(() => mesh.status().alive === 2)
  await cluster.clock.advance(30_000)
  map.set('later', 'y')
  await cluster.until(map.settled())
  // What there was: a question or two for the bus.
  expect(cluster.network.counts().streamBytes - streamBytes).toBeLessThan(1000)
  expect(mesh.status()).toMatchObject({ observes: true, maps: {} })
  const all = await cluster.until(mesh.clusterStatus())
  expect(all.slice(1).map(({ maps }) => maps.prices?.size)).toEqual([2001, 2001])
  expect(all.slice(1).map(({ observes }) => observes)).toEqual([false, false])
  expect(b.mesh.map('prices').size).toBe(2001)
  expect(() => mesh.map('prices')).toThrow(expect.objectContaining({ code: 'ERR_MESH' }))
})

test('who starts beside an observer alone, joins as if it were not there', async () => {
  cluster = new MeshCluster(2)
  const observer = await cluster.join({ observe: true })
  const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
  expect(observer.mesh.id).toBeGreaterThan(2 ** 52)
  a.mesh.map('prices').set('k', 1)
  await cluster.until(a.mesh.settled())
  expect(b.mesh.map('prices').get('k')).toBe(1)
  await cluster.leave(observer)
  const late = await cluster.join()
  expect(late.mesh.map('prices').get('k')).toBe(1)
})
