/** A log that is begun while clients write: what it holds from then on is what the service holds. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { digestOf } from '../../engine/digest.ts'
import { type TestClient, TestService } from '../testing.ts'

vi.setConfig({ testTimeout: 120_000 })

const folder = mkdtempSync(join(tmpdir(), 'millpond-log-start-'))
let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(folder, 'dir-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function open(appendonly: 'yes' | 'no'): Promise<{ service: TestService; client: TestClient }> {
  const service = new TestService()
  service.configuration.set([
    ['dir', dir],
    ['appendonly', appendonly],
    ['appendfsync', 'always'],
  ])
  await service.persistence.start()
  return { service, client: service.client() }
}

async function close({ endings }: TestService): Promise<void> {
  for (const end of endings) await end()
}

/** One change by chance, of any type. */
function change(client: TestClient, random: () => number, keys: number): void {
  const any = (below: number): number => Math.floor(random() * below)
  const key = `key:${any(keys)}`
  const changes: (() => unknown)[] = [
    () => client.run('set', key, any(1000), ...(any(2) ? ['px', 1_000_000 + any(1000)] : [])),
    () => client.run('rpush', `l:${key}`, any(9), any(9)),
    () => client.run('lpop', `l:${key}`),
    () => client.run('hincrby', `h:${key}`, any(5), any(100)),
    () => client.run('hpexpire', `h:${key}`, 2_000_000, 'fields', 1, any(5)),
    () => client.run('zincrby', `z:${key}`, 1.5, any(9)),
    () => client.run('sadd', `s:${key}`, any(99)),
    () => client.run('spop', `s:${key}`),
    () => client.run('del', `${'lhzs'[any(4)]}:${key}`),
    () => client.run('rename', key, `key:${any(keys)}`),
    () => client.run('xadd', `x:${any(3)}`, '*', 'field', any(9)),
    () => client.run('xgroup', 'create', `x:${any(3)}`, 'group', 0),
    () => client.run('xreadgroup', 'group', 'group', 'ann', 'count', 1, 'streams', `x:${any(3)}`, '>'),
    () => client.run('copy', key, `key:${any(keys)}`, 'db', any(3), 'replace'),
  ]
  changes[any(changes.length)]!()
}

async function changeUntil(client: TestClient, random: () => number, done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000 && !done(); turn++) {
    for (let left = 5; left > 0; left--) change(client, random, 3000)
    await sleep(turn % 8 === 0 ? 1 : 0)
  }
  expect(done()).toBe(true)
}

test('CONFIG SET appendonly yes while clients write: all is there after the next start, also what changed meanwhile', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const random = seededRandom(seed)
  const { service, client } = await open('no')
  const { log } = service.persistence
  for (let left = 6000; left > 0; left--) change(client, random, 3000)
  client.say('config set appendonly yes')
  expect([log.rewriting, log.log]).toEqual([false, undefined])
  await sleep(0)
  expect(log.rewriting).toBe(true)
  let turns = 0
  await changeUntil(client, random, () => {
    if (++turns === 10) client.say('swapdb 0 1')
    if (turns === 12) client.say('select 2')
    if (turns === 13) client.say('flushdb')
    if (turns === 14) client.say('select 0')
    return log.log !== undefined
  })
  expect(turns, 'some changes came while the log was begun').toBeGreaterThan(15)
  for (let left = 300; left > 0; left--) change(client, random, 3000)
  const digest = digestOf(service.databases)
  const pending = client.say('xinfo groups x:1')
  await close(service)

  const after = await open('yes')
  expect(digestOf(after.service.databases), `seed ${seed}`).toBe(digest)
  expect(after.client.say('xinfo groups x:1')).toEqual(pending)
  await close(after.service)
})

test('off and on again: what changed between is in the new log, and the old one is gone', async () => {
  const { service, client } = await open('yes')
  const { log } = service.persistence
  client.say('set before 1')
  client.say('config set appendonly no')
  while (log.log) await sleep(0)
  client.say('set between 1')
  client.say('config set appendonly yes')
  client.say('del before')
  await changeUntil(client, seededRandom(1), () => log.log !== undefined)
  client.say('incr between')
  const digest = digestOf(service.databases)
  service.persistence.reloadLog()
  expect(digestOf(service.databases)).toBe(digest)
  client.say('incr between')
  expect(readdirSync(join(dir, 'appendonlydir')).toSorted()).toEqual([
    'appendonly.aof.1.base.rdb',
    'appendonly.aof.2.incr.aof',
    'appendonly.aof.manifest',
  ])
  await close(service)
  const after = await open('yes')
  expect([after.client.say('get before'), after.client.say('get between')]).toEqual([null, '3'])
  await close(after.service)
})

test('a log that can not be begun is told of, tried again, and changes nothing else', async () => {
  const { service, client } = await open('no')
  const faults: unknown[] = []
  service.onFault = (fault) => void faults.push(fault)
  writeFileSync(join(dir, 'file'), '')
  service.configuration.set([['dir', join(dir, 'file')]])
  client.say('set key value')
  client.say('config set appendonly yes')
  const { log } = service.persistence
  await expect.poll(() => log.rewriteFailures, { interval: 1 }).toBe(1)
  expect(faults).toHaveLength(1)
  expect(String(faults[0])).toMatch(/^the log could not be begun: ENOTDIR/)
  expect(client.say('set key other')).toBe('OK')
  expect(client.say('info persistence')).toMatch(/aof_enabled:1[\s\S]*aof_last_bgrewrite_status:err/)
  service.configuration.set([['dir', dir]])
  await close(service)
})
