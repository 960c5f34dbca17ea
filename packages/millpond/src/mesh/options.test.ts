import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type MeshOptions, wholeMeshOptions } from './options.ts'
import { collectOptions } from './options-sources.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-mesh-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

test('the argument goes before the environment, that before the file, that before package.json', () => {
  const file = write('mesh.json', {
    name: 'file',
    peer: 'file',
    maxDrift: '2s',
    transport: { port: 2, group: '239.1.1.1' },
  })
  write('package.json', {
    millpond: { mesh: { name: 'package', tombstoneTtl: '5m', transport: { port: 1, hopsMax: 3 } } },
  })
  mkdirSync(join(folder, 'src'))
  const environment = {
    MILLPOND_MESH_FILE: file,
    MILLPOND_MESH_PEER: 'environment',
    MILLPOND_MESH_OWN_PORT: '7',
    MILLPOND_MESH_MAX_TOMBSTONES: '9',
  }
  const given: MeshOptions = { maxDrift: 5, transport: { interface: 'lo' } }
  expect(collectOptions(given, { environment, folder: join(folder, 'src') })).toEqual({
    name: 'file',
    peer: 'environment',
    maxDrift: 5,
    tombstoneTtl: '5m',
    maxTombstones: 9,
    transport: { interface: 'lo', port: 2, group: '239.1.1.1', hopsMax: 3, ownPort: 7 },
  })
})

test('every variable has its kind', () => {
  const environment = {
    MILLPOND_MESH_KEY: `${'a'.repeat(64)}, ${'b'.repeat(64)}`,
    MILLPOND_MESH_INSECURE: 'true',
    MILLPOND_MESH_JOIN_TIMEOUT: '250',
    MILLPOND_MESH_MAX_VALUE: '1mb',
    MILLPOND_MESH_SEEDS: '10.0.0.1,10.0.0.2:5',
    MILLPOND_MESH_MODE: 'fan-out',
    MILLPOND_MESH_NAME: '',
  }
  expect(collectOptions({}, { environment, folder })).toEqual({
    key: ['a'.repeat(64), 'b'.repeat(64)],
    insecure: true,
    joinTimeout: 250,
    maxValue: '1mb',
    transport: { seeds: ['10.0.0.1', '10.0.0.2:5'], mode: 'fan-out' },
  })
  const file = { MILLPOND_MESH_SEEDS: 'file:/etc/peers' }
  expect(collectOptions({}, { environment: file, folder }).transport).toEqual({ seeds: { file: '/etc/peers' } })
})

test('options are whole and frozen', () => {
  const whole = wholeMeshOptions({ name: 'shop', maxValue: '1mb', tombstoneTtl: '1h', key: 'a'.repeat(64) })
  expect(whole).toMatchObject({
    name: 'shop',
    valueBytesMax: 1024 ** 2,
    tombstoneMs: 3_600_000,
    joinMs: 1000,
    driftMsMax: 500,
    insecure: false,
  })
  expect(whole.peer).toMatch(/:\d+$/)
  expect(whole.keyring.first).toBeDefined()
  expect(Object.isFrozen(whole)).toBe(true)
})

test.each<[string, () => unknown, string]>([
  ['no name', () => wholeMeshOptions({}), 'name'],
  ['a key that is none', () => wholeMeshOptions({ name: 'a', key: 'secret' }), 'key'],
  ['a value beyond what is carried', () => wholeMeshOptions({ name: 'a', maxValue: '17mb' }), 'maxValue'],
  ['a duration that is none', () => wholeMeshOptions({ name: 'a', joinTimeout: 'soon' as never }), 'joinTimeout'],
  ['half a tombstone', () => wholeMeshOptions({ name: 'a', maxTombstones: 0.5 }), 'maxTombstones'],
  ['a flag that is none', () => wholeMeshOptions({ name: 'a', insecure: 'yes' as never }), 'insecure'],
  ['a peer that is no text', () => wholeMeshOptions({ name: 'a', peer: 5 as never }), 'peer'],
  ['a key of null', () => wholeMeshOptions({ name: 'a', key: null as never }), 'key'],
  ['no object', () => collectOptions(null as never, { environment: {}, folder }), 'options'],
  [
    'a transport that is none',
    () => collectOptions({ transport: 5 as never }, { environment: {}, folder }),
    'transport',
  ],
  [
    'a variable that is no number',
    () => collectOptions({}, { environment: { MILLPOND_MESH_PORT: 'x' }, folder }),
    'MILLPOND_MESH_PORT',
  ],
  [
    'a variable that is no flag',
    () => collectOptions({}, { environment: { MILLPOND_MESH_INSECURE: 'x' }, folder }),
    'MILLPOND_MESH_INSECURE',
  ],
  [
    'a file that is not there',
    () => collectOptions({}, { environment: { MILLPOND_MESH_FILE: join(folder, 'no.json') }, folder }),
    'MILLPOND_MESH_FILE',
  ],
  [
    'a file that is no object',
    () => collectOptions({}, { environment: { MILLPOND_MESH_FILE: write('a.json', '5') }, folder }),
    'MILLPOND_MESH_FILE',
  ],
])('%s is refused by name', (_, run, option) => {
  expect(run).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option }))
})

test('a slip of the pen in a file is seen', () => {
  write('package.json', { millpond: { mesh: { nam: 'a' } } })
  expect(() => collectOptions({}, { environment: {}, folder })).toThrow(/"nam" cannot be used; there are name, peer/)
  write('package.json', { millpond: { mesh: { transport: { prt: 1 } } } })
  expect(() => collectOptions({}, { environment: {}, folder })).toThrow(/"prt" cannot be used; there are interface/)
})
