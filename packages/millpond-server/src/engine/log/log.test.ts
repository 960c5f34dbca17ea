/** The log without a server: what is written is read again, damage is found where it is, faults pass. */
import { closeSync, copyFileSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { Arguments } from '../arguments.ts'
import { AppendLog } from './append-log.ts'
import { crc32, plainCrc32 } from './checksum.ts'
import { LogError } from './log-error.ts'
import { LogFile } from './log-file.ts'
import { LogFolder } from './log-folder.ts'
import { type LogRead, readLog } from './log-reader.ts'
import { formatManifest, parseManifest } from './manifest.ts'

const folder = mkdtempSync(join(tmpdir(), 'millpond-log-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const command = (...words: string[]) => Arguments.of(words)

function read(path: string, isLast = true): LogRead & { said: string[] } {
  const file = openSync(path, 'r')
  const said: string[] = []
  try {
    const { size } = fstatSync(file)
    const result = readLog({ path, file, size, from: 0, isLast }, (args) => said.push(args.texts(0).join(' ')))
    return { ...result, said }
  } finally {
    closeSync(file)
  }
}

/** A log of five stretches: a long value, a transaction, bytes of all kinds, several databases. */
async function sample(name: string): Promise<{ path: string; said: string[] }> {
  const path = join(folder, name)
  const log = new AppendLog(await LogFile.open(path, 0), 'always')
  const settled = () => new Promise<void>((resolve) => log.whenSettled(() => resolve()))
  log.append(0, command('SET', 'key', 'value'))
  await settled()
  log.append(0, command('SET', 'long', 'x'.repeat(300)))
  log.append(3, command('LPUSH', 'list', '', '\r\n$3\r\n', '\0\xff'))
  await settled()
  log.appendGroup([
    { db: 3, args: command('INCR', 'a') },
    { db: 3, args: command('INCR', 'b') },
  ])
  await settled()
  log.appendGroup([
    { db: 0, args: command('DEL', 'a') },
    { db: 1, args: command('DEL', 'b') },
  ])
  await settled()
  log.append(1, command('DEL', 'end'))
  await log.close()
  const said = [
    'SELECT 0',
    'SET key value',
    `SET long ${'x'.repeat(300)}`,
    'SELECT 3',
    'LPUSH list  \r\n$3\r\n \0\xff',
    'INCR a',
    'INCR b',
    'SELECT 0',
    'DEL a',
    'SELECT 1',
    'DEL b',
    'DEL end',
  ]
  return { path, said }
}

describe('reading', () => {
  test('all that was written, in order; and after more was appended', async () => {
    const { path, said } = await sample('whole')
    const whole = read(path)
    expect(whole.said).toEqual(said)
    expect(whole.torn).toBeUndefined()
    const log = new AppendLog(await LogFile.open(path, whole.end), 'no')
    log.append(0, command('PING'))
    await log.close()
    expect(read(path).said).toEqual([...said, 'SELECT 0', 'PING'])
  })

  test('cut anywhere: what is whole is read, the rest is told; in a file that others follow it is refused', async () => {
    const { path, said } = await sample('cut')
    const bytes = readFileSync(path)
    const cut = join(folder, 'cut-short')
    for (let length = 0; length < bytes.length; length += length < 500 ? 2 : 1) {
      writeFileSync(cut, bytes.subarray(0, length))
      const { said: some, end, torn } = read(cut)
      expect(some).toEqual(said.slice(0, some.length))
      expect(torn === undefined, `${length}`).toBe(end === length)
      // What stands there is read the same when it is cut where it was said to end.
      writeFileSync(cut, bytes.subarray(0, end))
      expect(read(cut)).toMatchObject({ said: some, torn: undefined, end })
      if (length % 5 > 0) continue
      writeFileSync(cut, Buffer.concat([bytes.subarray(0, length), Buffer.alloc(50)]))
      expect(read(cut).said, `zeros behind ${length}`).toEqual(some)
    }
    writeFileSync(cut, bytes.subarray(0, bytes.length - 3))
    expect(() => read(cut, false)).toThrow(LogError)
  })

  test('a changed bit anywhere but in the last stretch: refused, and the place is named', async () => {
    const { path } = await sample('flipped')
    const bytes = readFileSync(path)
    const flipped = join(folder, 'flipped-bit')
    const last = bytes.lastIndexOf('*2\r\n')
    let refused = 0
    for (let at = 0; at < last; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1 << (at % 7)
      writeFileSync(flipped, changed)
      try {
        read(flipped)
      } catch (error) {
        expect(error).toBeInstanceOf(LogError)
        expect((error as LogError).offset).toBeLessThanOrEqual(bytes.length)
        expect((error as LogError).message).toContain(`at byte ${(error as LogError).offset}`)
        refused++
        continue
      }
      // A mark whose name was changed is no mark any more; what it stands for is as it was.
      expect(bytes.toString('latin1', bytes.lastIndexOf('\n', at), at + 1), `changed at ${at}`).toMatch(/^\n#/)
    }
    expect(refused).toBeGreaterThan(last * 0.9)
  })

  test('a length that lies does not make the middle a torn end', async () => {
    const { path } = await sample('lying')
    const text = readFileSync(path, 'latin1').replace('$300', '$999')
    writeFileSync(path, text, 'latin1')
    expect(() => read(path)).toThrow('damaged at byte')
  })

  test("Redis's own logs: remarks, no marks", () => {
    const path = join(folder, 'of-redis')
    writeFileSync(
      path,
      '#TS:1700000000\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*1\r\n$4\r\nPING\r\n*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n',
    )
    expect(read(path)).toMatchObject({ said: ['SELECT 0', 'PING'], torn: expect.stringContaining('transaction') })
  })
})

describe('appending', () => {
  test('one write serves all of a turn, and who waits is called in order', async () => {
    const file = await LogFile.open(join(folder, 'grouped'), 0)
    const append = vi.spyOn(file, 'append')
    const log = new AppendLog(file, 'always')
    const order: number[] = []
    for (let at = 0; at < 100; at++) {
      log.append(0, command('INCR', String(at)))
      expect(log.settled).toBe(false)
      log.whenSettled(() => order.push(at))
    }
    await log.written()
    expect(append).toHaveBeenCalledTimes(1)
    expect(order).toEqual(Array.from({ length: 100 }, (_, at) => at))
    expect(log.settled).toBe(true)
    await log.close()
  })

  test('everysec and no: nobody waits', async () => {
    const log = new AppendLog(await LogFile.open(join(folder, 'lax'), 0), 'everysec')
    log.append(0, command('PING'))
    expect(log.settled).toBe(true)
    await log.close()
    expect(read(join(folder, 'lax')).said).toEqual(['SELECT 0', 'PING'])
  })

  test.each([
    ['always', true, 0],
    ['everysec', false, 1],
    ['no', false, 0],
  ] as const)('%s: whether a stretch is synced with its write: %s; and a second later, %i times', async (...given) => {
    const [durability, withWrite, later] = given
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const file = await LogFile.open(join(folder, `synced ${durability}`), 0)
      const [append, sync] = [vi.spyOn(file, 'append'), vi.spyOn(file, 'sync')]
      const log = new AppendLog(file, durability)
      log.append(0, command('PING'))
      await log.written()
      expect(append.mock.calls.map(([, synced]) => synced)).toEqual([withWrite])
      vi.advanceTimersByTime(1000)
      expect(sync).toHaveBeenCalledTimes(later)
      // Nothing has come since.
      vi.advanceTimersByTime(5000)
      expect(sync).toHaveBeenCalledTimes(later)
      await log.close()
    } finally {
      vi.useRealTimers()
    }
  })

  test('syncs are counted with their time, in whichever file', async () => {
    const log = new AppendLog(await LogFile.open(join(folder, 'counted'), 0), 'always')
    expect([log.syncs, log.syncMs]).toEqual([0, 0])
    for (const syncs of [1, 2]) {
      log.append(0, command('PING'))
      await log.written()
      expect(log.syncs).toBe(syncs)
    }
    expect(log.syncMs).toBeGreaterThan(0)
    const old = await log.switchTo(await LogFile.open(join(folder, 'counted too'), 0))
    await old.close()
    expect(log.syncs).toBe(3)
    log.append(0, command('PING'))
    await log.written()
    expect(log.syncs).toBe(4)
    await log.close()
  })

  test('a file that cannot be written: who waits is told; all is written when it can be again', async () => {
    const path = join(folder, 'full')
    const file = await LogFile.open(path, 0)
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const append = vi.spyOn(file, 'append').mockRejectedValue(full)
    const log = new AppendLog(file, 'always')
    const faults: (string | undefined)[] = []
    log.onFault = (fault) => faults.push(fault?.message)
    log.append(0, command('SET', 'a', '1'))
    const told = await new Promise((resolve) => log.whenSettled(resolve))
    expect(String(told)).toContain('Errors writing to the AOF file: No space left on device')
    log.append(0, command('SET', 'b', '2'))
    expect(log.settled).toBe(true)
    append.mockRestore()
    await log.written().catch(() => {})
    await vi.waitFor(() => expect(log.fault).toBeUndefined(), 5000)
    await log.close()
    expect(faults).toEqual(['Errors writing to the AOF file: No space left on device', undefined])
    expect(read(path).said).toEqual(['SELECT 0', 'SET a 1', 'SET b 2'])
  })

  test('another file from now on: nothing is lost or doubled', async () => {
    const [old, next] = [join(folder, 'old'), join(folder, 'next')]
    const log = new AppendLog(await LogFile.open(old, 0), 'everysec')
    for (let at = 0; at < 50; at++) log.append(0, command('INCR', `old${at}`))
    const switched = log.switchTo(await LogFile.open(next, 0))
    log.append(0, command('INCR', 'during'))
    await (await switched).close()
    log.append(0, command('INCR', 'after'))
    await log.close()
    expect(read(old, false).said).toHaveLength(51)
    expect(read(next).said).toEqual(['SELECT 0', 'INCR during', 'INCR after'])
  })
})

describe('the folder', () => {
  test('manifests, as Redis writes them', () => {
    const text = 'file appendonly.aof.2.base.rdb seq 2 type b\nfile "a b.aof" seq 3 type i\n'
    const files = parseManifest(`# a remark\n${text}`)
    expect(files[1]).toEqual({ name: 'a b.aof', seq: 3, part: 'i' })
    expect(formatManifest(files)).toBe(text)
    expect(() => parseManifest('file ../x seq 1 type b')).toThrow('not understood')
  })

  test('a log of one file is moved in; files that are named no more are removed', async () => {
    const dir = mkdtempSync(join(folder, 'dir-'))
    const { path } = await sample('single')
    copyFileSync(path, join(dir, 'appendonly.aof'))
    const first = new LogFolder(dir, 'appendonlydir', 'appendonly.aof')
    expect(first.open()).toBe(true)
    expect(first.files).toEqual([{ name: 'appendonly.aof', seq: 1, part: 'b' }])
    const next = first.next('i')
    writeFileSync(first.pathOf(next), '')
    first.use([next])
    const again = new LogFolder(dir, 'appendonlydir', 'appendonly.aof')
    expect(again.open()).toBe(true)
    expect(again.files).toEqual([next])
    expect(again.size).toBe(0)
    expect(new LogFolder(mkdtempSync(join(folder, 'dir-')), 'a', 'b').open()).toBe(false)
  })
})

test('both ways of taking a checksum agree', () => {
  const bytes = Buffer.from('123456789')
  expect([crc32(bytes), plainCrc32(bytes)]).toEqual([0xcbf43926, 0xcbf43926])
})
