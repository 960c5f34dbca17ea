import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { CommandTable } from '../commands/command-table.ts'
import { Host } from '../commands/host.ts'
import { COMMANDS } from '../commands/table.ts'
import { EngineTime } from '../engine/time.ts'
import { Schedules } from './schedules.ts'

vi.setConfig({ testTimeout: 120_000 })

test('all caches have a schedule while the configuration wants one, also those that come later', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-schedules-'))
  const host = new Host({ time: new EngineTime(), commands: new CommandTable(COMMANDS), bytesMax: 2 ** 20 })
  const faults: unknown[] = []
  host.home.onFault = (fault) => void faults.push(fault)
  const schedules = new Schedules(host)
  const settled = async (condition: () => boolean): Promise<void> => {
    const look = (): boolean => {
      schedules.look()
      return condition()
    }
    await expect.poll(look, { interval: 1 }).toBe(true)
  }
  try {
    await host.create('shop')
    schedules.start()
    expect(schedules.stateOf('shop')).toBe(undefined)
    host.home.configuration.set([
      ['backup-location', folder],
      ['backup-every', '3600'],
    ])
    await settled(() => schedules.stateOf('shop') !== undefined && schedules.stateOf('default') !== undefined)
    await host.create('later')
    await settled(() => schedules.stateOf('later') !== undefined)
    await host.delete('later')
    await host.create('later')
    expect(schedules.stateOf('later')).toBe(undefined)
    await settled(() => schedules.stateOf('later') !== undefined)
    await host.delete('shop')
    await settled(() => schedules.stateOf('shop') === undefined)
    expect(faults).toEqual([])
    host.home.configuration.set([['backup-location', 's3://no:keys@bucket']])
    await settled(() => schedules.stateOf('later') === undefined && faults.length > 0)
    expect(String(faults[0])).toMatch(/^no backups are made: s3:\/\/bucket: keys stand in the environment/)
    host.home.configuration.set([['backup-every', '0']])
    await settled(() => schedules.stateOf('default') === undefined)
  } finally {
    await schedules.stop()
    await host.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
