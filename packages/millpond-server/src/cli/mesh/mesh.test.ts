/** `millpond mesh` as real processes, at a mesh of this one on the loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { joinMesh, type Mesh } from 'millpond/mesh'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Survey } from './survey.ts'

const TIMEOUT_MS = 60_000
const name = `cli-${randomBytes(6).toString('hex')}`
const key = randomBytes(32).toString('base64')
const at = ['--interface', '127.0.0.1', '--wait', '20']
let members: Mesh[]
const children: ChildProcess[] = []

beforeAll(async () => {
  const one = async (peer: string) => await joinMesh({ name, key, peer, transport: { interface: '127.0.0.1' } })
  members = [await one('web-1'), await one('web-2')]
  const prices = members[0]!.map<number>('prices')
  for (let count = 0; count < 500; count++) prices.set(`k${count}`, count)
  members[1]!.map('flags', { sync: 'part' }).set('on', true)
  await Promise.all(members.map((mesh) => mesh.settled()))
})

afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
})

afterAll(async () => {
  await Promise.all(members.map((mesh) => mesh.leave()))
})

test('status shows every peer and every map, and takes over nothing', { timeout: TIMEOUT_MS }, async () => {
  const { code, out, error } = await millpond('status', ...at)
  expect({ code, error }).toEqual({ code: 0, error: '' })
  expect(out).toContain(`${name}: 2 peers, 2 maps, all equal`)
  expect(out).toMatch(/^ {2}web-1 +alive +127\.0\.0\.1:\d+/m)
  expect(out).toMatch(/^ {2}prices +full +web-[12] +500 +\d+ +[0-9a-f]{16}$/m)
  const { code: codeOfJson, out: json } = await millpond('status', ...at, '--json')
  const found = JSON.parse(json) as Survey
  expect(codeOfJson).toBe(0)
  expect(found.peers.filter(({ observes }) => !observes).map(({ name, answers }) => [name, answers])).toEqual([
    ['web-1', true],
    ['web-2', true],
  ])
  expect(found.maps.map(({ name, sync, equal }) => [name, sync, equal])).toEqual([
    ['flags', 'part', true],
    ['prices', 'full', true],
  ])
  // The visitors have said good-bye.
  await until(() => members.every((mesh) => mesh.status().alive === 1))
})

test('watch prints lines where there is no terminal, tells of peers, and leaves at a signal', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { child, ended, says } = start(['watch', ...at, '--every', '0.2'])
  await says(/: web-1 web-2 \| flags \d to \d|: web-[12] web-[12] \|/)
  const third = await joinMesh({ name, key, peer: 'web-3', transport: { interface: '127.0.0.1' } })
  await says(/web-3 is alive/)
  await third.leave()
  await says(/web-3 is left/)
  child.kill('SIGINT')
  expect((await ended).code).toBe(0)
  const { out } = await millpond('watch', ...at, '--count', '2', '--every', '0.1', '--json')
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Survey).mesh),
  ).toEqual([name, name])
})

test('ping asks everyone as often as it is told', { timeout: TIMEOUT_MS }, async () => {
  const { code, out } = await millpond('ping', ...at, '--count', '3', '--every', '0.05', '--json')
  expect(code).toBe(0)
  const pinged = JSON.parse(out) as { peer: string; answered: number; medianMs: number }[]
  expect(pinged.map(({ peer, answered }) => [peer, answered]).sort()).toEqual([
    ['web-1', 3],
    ['web-2', 3],
  ])
  for (const { medianMs } of pinged) expect(medianMs).toBeGreaterThan(0)
})

test('bench measures between two processes, and compares them', { timeout: TIMEOUT_MS }, async () => {
  const { code, out, error } = await millpond('bench', '--seconds', '0.5', '--json')
  expect({ code, error }).toEqual({ code: 0, error: '' })
  const { written, setToSeen, throughput, equal } = JSON.parse(out)
  expect({ written, seen: setToSeen.count, equal }).toEqual({ written: 500, seen: 500, equal: true })
  expect(setToSeen.p50Ms).toBeGreaterThan(0)
  expect(throughput.perSecond).toBeGreaterThan(100)
})

test('where nobody is found, it says what to check', { timeout: TIMEOUT_MS }, async () => {
  const { code, out, error } = await millpond('status', '--name', `${name}-other`, '--wait', '0.5')
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(error).toMatch(/^error: no peer of the mesh .* was found within 0.5 s\. Check that\n/)
  expect(error).toContain('--seeds')
})

test('a wrong key is told as such, and an option that cannot be used is named', { timeout: TIMEOUT_MS }, async () => {
  const other = randomBytes(32).toString('base64')
  const wrong = await millpond('status', '--interface', '127.0.0.1', '--wait', '3', '--key', other)
  expect(wrong.code).toBe(1)
  expect(wrong.error).toContain('packets came that this one does not open')
  const short = await millpond('ping', '--key', 'short')
  expect(short.code).toBe(2)
  expect(short.error).toContain('key')
  expect((await millpond('ping', '--count', 'many')).code).toBe(2)
  const unknown = await millpond('pong')
  expect(unknown.code).toBe(2)
  expect(unknown.error).toContain("there is no command 'mesh pong'")
})

interface Run {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

async function millpond(...args: string[]): Promise<Run> {
  return await start(args).ended
}

function start(args: readonly string[]) {
  const main = join(import.meta.dirname, '../main.ts')
  const flags = ['--conditions=@millpond/source', '--import', 'tsx', main, 'mesh', ...args]
  const env = { ...process.env, MILLPOND_MESH_NAME: name, MILLPOND_MESH_KEY: key, NODE_OPTIONS: '' }
  const child = spawn(process.execPath, flags, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let [out, error] = ['', '']
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (error += String(chunk)))
  const ended = once(child, 'close').then(([code]): Run => {
    // Without rights to a larger buffer the kernel grants less, and the mesh says so.
    const told = error
      .split('\n')
      .filter((line) => !/^warning: .*buffer/.test(line))
      .join('\n')
    return { code: code as number | null, out, error: told }
  })
  const says = async (pattern: RegExp): Promise<void> =>
    await until(
      () => pattern.test(out),
      () => out + error,
    )
  return { child, ended, says }
}

async function until(isSo: () => boolean, text = (): string => ''): Promise<void> {
  for (let turn = 0; turn < 2000 && !isSo(); turn++) await new Promise((resolve) => setTimeout(resolve, 10))
  if (!isSo()) throw new Error(`not within 20 s: ${text()}`)
}
