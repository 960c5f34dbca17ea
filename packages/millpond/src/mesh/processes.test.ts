/** Real processes, real multicast on the loopback, real keys. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { joinMesh, type Mesh, type MeshMap } from './index.ts'

const script = new URL('./process.fixture.ts', import.meta.url).pathname
let name: string
let mesh: Mesh
let map: MeshMap<unknown>
const children: ChildProcess[] = []

beforeEach(async () => {
  name = `test-${randomBytes(6).toString('hex')}`
  mesh = await joinMesh({ name, peer: 'parent', key: '5e'.repeat(32), transport: { interface: '127.0.0.1' } })
  map = mesh.map('talk')
})

afterEach(async () => {
  await mesh.leave()
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  }
})

async function start(peer: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--conditions=@millpond/source', '--import', 'tsx', script, name, peer], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  await once(child.stdout!, 'data')
  return child
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !isSo(); turn++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(isSo()).toBe(true)
}

const answered = (peer: string, asked: unknown) =>
  (map.get(`answer:${peer}`) as { asked: unknown } | undefined)?.asked === asked

test('three processes talk by a map; one is killed and comes again; large values cross; all are equal', {
  timeout: 60_000,
}, async () => {
  const [first] = await Promise.all([start('a'), start('b')])
  map.set('ask', 'who is there?')
  await until(() => answered('a', 'who is there?') && answered('b', 'who is there?'))
  first.kill('SIGKILL')
  await once(first, 'close')
  for (let at = 0; at < 1000; at++) map.set(`key ${at}`, { at })
  const large = 'x'.repeat(2_000_000)
  map.set('ask', large)
  await until(() => answered('b', large))
  await start('a')
  await until(() => answered('a', large))
  expect((map.get('answer:a') as { size: number }).size).toBeGreaterThan(1000)
  expect(
    mesh
      .peers()
      .filter(({ state }) => state === 'alive')
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['a', 'b'])
  await mesh.settled()
  await until(() => mesh.status().maps.talk!.unsent === 0)
  const sums = await mesh.checksums('talk')
  expect(sums.map(({ peer }) => peer).sort()).toEqual(['a', 'b', 'parent'])
  expect(new Set(sums.map(({ checksum }) => checksum)).size).toBe(1)
})

test('a process that is told to stop leaves, and who is without the key is no member', {
  timeout: 60_000,
}, async () => {
  const child = await start('a')
  const stranger = await joinMesh({
    name,
    peer: 'stranger',
    key: '6f'.repeat(32),
    transport: { interface: '127.0.0.1' },
  })
  stranger.map('talk').set('stop:a', 1)
  await until(() => mesh.peers().some(({ name }) => name === 'a'))
  expect(stranger.peers()).toEqual([])
  expect(map.has('stop:a')).toBe(false)
  await stranger.leave()
  map.set('stop:a', 1)
  await once(child, 'close')
  expect(child.exitCode).toBe(0)
  await until(() => mesh.peers().find(({ name }) => name === 'a')?.state === 'left')
})
