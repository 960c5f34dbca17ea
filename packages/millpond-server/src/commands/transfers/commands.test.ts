import { resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { AuditLog } from '../../security/audit-log.ts'
import { CommandTable } from '../command-table.ts'
import { Host } from '../host.ts'
import { COMMANDS } from '../table.ts'
import { TestClient, TestTime } from '../testing.ts'
import { makeEntrance } from '../tokens/entrance.ts'
import { type Movers, Transfers } from './transfers.ts'

const hosts: Host[] = []
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop()
})

/** A host whose moves are done at once, and note what they were told. */
function start() {
  const time = new TestTime(1_700_000_000_000)
  const host = new Host({ time, commands: new CommandTable(COMMANDS), bytesMax: 2 ** 22 })
  host.entrance = makeEntrance(host)
  const moved: string[] = []
  const move =
    (kind: string): Movers['restore'] =>
    async ({ cache }, place, { replace, onProgress }) => {
      moved.push(`${kind} ${cache.name} ${place}${replace ? ' replace' : ''}`)
      onProgress({ done: 3, total: undefined, bytes: 7 })
      return { keys: 3, name: 'ü.rdb' }
    }
  const list: Movers['list'] = async (cache, place) => [{ cache, place, keys: 3 }]
  host.transfers = new Transfers({ backUp: move('backup'), restore: move('restore'), bring: move('import'), list })
  hosts.push(host)
  return { host, moved, admin: new TestClient(host.home) }
}

const below = resolve('backups')
const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

test('a transfer is begun, and asked how far it is', async () => {
  const { moved, admin } = start()
  expect(admin.run('transfer', 'backup', 'default', below)).toBe(1)
  await turn()
  expect(admin.say('transfer restore default s3://bucket/a.rdb REPLACE')).toBe(2)
  await turn()
  expect(admin.say('transfer import default redis://:secret@host')).toBe(3)
  await turn()
  expect(moved).toEqual([
    `backup default ${below}`,
    'restore default s3://bucket/a.rdb replace',
    'import default redis://:secret@host',
  ])
  const told = ['id', 1, 'kind', 'backup', 'cache', 'default', 'state', 'done', 'done', 3, 'total', -1, 'bytes', 7]
  const result = ['keys', 3, 'name', Buffer.from('ü.rdb').toString('latin1')]
  expect(admin.say('transfer status 1')).toEqual([...told, 'error', null, 'result', result])
  expect(admin.say('transfer cancel 1')).toBe(0)
  expect(admin.say('transfer status 9')).toEqual({ error: 'NOTFOUND there is no transfer 9' })
  expect(admin.run('transfer', 'backups', 'default', below)).toBe(undefined)
  await turn()
  expect(admin.answer).toEqual([['cache', 'default', 'place', below, 'keys', 3]])
})

test('where nobody is asked who he is, files are those below the folder of the server', async () => {
  const { host, moved, admin } = start()
  for (const place of ['/etc', '/elsewhere/a.rdb', '../a.rdb', `${process.cwd()}-other/a.rdb`]) {
    expect(admin.run('transfer', 'backup', 'default', place), place).toEqual({
      error: expect.stringContaining('DENIED'),
    })
    expect(admin.run('transfer', 'backups', 'default', place), place).toEqual({
      error: expect.stringContaining('DENIED'),
    })
  }
  expect(moved).toEqual([])
  host.home.accessControl.set('default', ['resetpass', '>known'])
  expect(admin.run('transfer', 'backup', 'default', '/elsewhere')).toBe(1)
  await turn()
})

test('what cannot be is refused, and the address of a source is told nobody', async () => {
  const { host, admin } = start()
  expect(admin.run('transfer', 'backup', 'nowhere', below)).toEqual({ error: "NOTFOUND there is no cache 'nowhere'" })
  expect(admin.run('transfer', 'backup', 'default', below, 'now')).toEqual({ error: 'ERR syntax error' })
  const watcher = new TestClient(host.home)
  host.home.clients.set(watcher.id, watcher)
  watcher.say('monitor')
  admin.say('transfer import default redis://:secret@host')
  expect(JSON.stringify(watcher.pushed)).not.toContain('secret')
  await turn()
})

test('what may have a password in it is told to nobody who watches', () => {
  const { host, admin } = start()
  const lines: string[] = []
  host.audit = new AuditLog(undefined, (line) => void lines.push(line))
  for (const [command, place] of [
    ['import', 'redis://:secret@host'],
    ['backup', 's3://key:secret@bucket'],
    ['restore', 's3://key:secret@bucket/a.rdb'],
    ['backups', 's3://key:secret@bucket'],
  ] as const) {
    admin.run('transfer', command, 'default', place)
  }
  expect(lines.map((line) => (JSON.parse(line) as { action: string }).action)).toEqual([
    ...['transfer import', 'transfer backup', 'transfer restore'],
  ])
  admin.say('config set slowlog-log-slower-than 0')
  admin.run('transfer', 'backup', 'default', 's3://key:secret@bucket')
  expect(`${lines.join()}${JSON.stringify(admin.say('slowlog get'))}`).not.toContain('secret')
})
