import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { TestService } from '../commands/testing.ts'
import { listBackups } from './backup.ts'
import { FolderVault } from './folder-vault.ts'
import { BackupSchedule } from './schedule.ts'
import type { Vault } from './vault.ts'

vi.setConfig({ testTimeout: 120_000 })

const folder = mkdtempSync(join(tmpdir(), 'millpond-schedule-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const newFolder = () => mkdtempSync(join(folder, 'vault-'))

const HOUR_MS = 3_600_000

function start(vault: Vault) {
  const service = new TestService()
  const faults: unknown[] = []
  service.onFault = (fault) => void faults.push(fault)
  service.client().say('set key value')
  const schedule = new BackupSchedule(service, vault, { everyMs: HOUR_MS, keep: 2 })
  return { service, faults, schedule }
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { interval: 1 }).toBe(true)
}

const timesOf = async (vault: Vault) => (await listBackups(vault, 'default')).map(({ createdAtMs }) => createdAtMs)

test('one an hour, the last two stay; after a restart the next is due an hour after the last', async () => {
  const vault = new FolderVault(newFolder())
  const { service, schedule, faults } = start(vault)
  const began = service.time.read()
  await schedule.start()
  const made: number[] = []
  for (let hour = 1; hour <= 3; hour++) {
    service.time.pass(HOUR_MS - 1)
    expect(schedule.state).toMatchObject({ running: false, nextAtMs: began + hour * HOUR_MS })
    service.time.pass(1)
    await until(() => schedule.state.last?.createdAtMs === began + hour * HOUR_MS && !schedule.state.running)
    made.push(began + hour * HOUR_MS)
    expect(await timesOf(vault)).toEqual(made.slice(-2))
  }
  await schedule.stop()
  const later = start(vault)
  later.service.time.pass(3 * HOUR_MS + 1000)
  await later.schedule.start()
  expect(later.schedule.state.nextAtMs).toBe(began + 4 * HOUR_MS)
  await later.schedule.stop()
  expect([...faults, ...later.faults]).toEqual([])
})

test('a failure is told and tried again after five minutes; what there was stays', async () => {
  const path = newFolder()
  const vault = new FolderVault(path)
  const { service, schedule, faults } = start(vault)
  await schedule.start()
  service.time.pass(HOUR_MS)
  await until(() => schedule.state.last !== undefined && !schedule.state.running)
  rmSync(path, { recursive: true })
  writeFileSync(path, 'no folder')
  service.time.pass(HOUR_MS)
  await until(() => schedule.state.failures === 1 && !schedule.state.running)
  expect(String(faults[0])).toMatch(/^the backup of default has failed: .*EEXIST|ENOTDIR/)
  expect(schedule.state.nextAtMs).toBe(service.time.read() + 5 * 60_000)
  rmSync(path)
  service.time.pass(5 * 60_000)
  await until(() => schedule.state.failures === 0 && !schedule.state.running)
  expect(await timesOf(vault)).toHaveLength(1)
  await schedule.stop()
})

test('a backup that is found damaged when it is read back removes no other', async () => {
  const inner = new FolderVault(newFolder())
  let damages = false
  const vault: Vault = {
    url: inner.url,
    list: () => inner.list(),
    remove: (name) => inner.remove(name),
    write: (name, pieces) => inner.write(name, pieces),
    async *read(name) {
      for await (const piece of inner.read(name)) yield damages && name.endsWith('.rdb') ? piece.subarray(1) : piece
    },
  }
  const { service, schedule } = start(vault)
  await schedule.start()
  for (let hour = 0; hour < 2; hour++) {
    service.time.pass(HOUR_MS)
    await until(() => schedule.state.nextAtMs === service.time.read() + HOUR_MS && !schedule.state.running)
  }
  const before = await timesOf(vault)
  damages = true
  service.time.pass(HOUR_MS)
  await until(() => schedule.state.failures === 1 && !schedule.state.running)
  expect(schedule.state.error).toMatch(/it has \d+ bytes, and was written with \d+/)
  expect(await timesOf(vault)).toEqual(expect.arrayContaining(before))
  await schedule.stop()
})
