import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClosedError, JournalError } from '../core/errors.ts'
import type { JournalRecord } from '../core/journal.ts'
import { type FileJournalOptions, fileJournal, type TornTail } from './file-journal.ts'
import { crc32, HEADER } from './journal-file-format.ts'
import { type JournalFs, nodeFs } from './journal-fs.ts'

let folder: string
let path: string
let torn: TornTail[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millpond-journal-'))
  path = join(folder, 'writes.journal')
  torn = []
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const make = (options: Partial<FileJournalOptions> = {}) =>
  fileJournal({ path, onTornTail: (tail) => void torn.push(tail), ...options })
const record = (sequence: number, value = `value ${sequence}`): JournalRecord => ({
  sequence,
  key: `k${sequence}`,
  value,
})

/** What a new start finds. */
async function reopen(options: Partial<FileJournalOptions> = {}): Promise<readonly JournalRecord[]> {
  const journal = make(options)
  const records = await journal.open()
  await journal.close()
  return records
}

describe('fileJournal', () => {
  it('gives back after a restart what was appended and not settled, oldest first', async () => {
    const journal = make()
    expect(await journal.open()).toEqual([])
    await Promise.all([1, 2, 3, 4].map((sequence) => journal.append(record(sequence, `ü\n${sequence}\0"`))))
    await journal.settle([2, 3])
    await journal.close()
    expect(await reopen()).toEqual([record(1, 'ü\n1\0"'), record(4, 'ü\n4\0"')])
  })

  it('shares one flush among appends that come together, and resolves none before it', async () => {
    const calls: string[] = []
    const journal = make({ fs: spy(calls) })
    await journal.open()
    calls.length = 0
    const acknowledged: number[] = []
    const all = Array.from({ length: 50 }, async (_, sequence) => {
      await journal.append(record(sequence))
      calls.push('ack')
      acknowledged.push(sequence)
    })
    await Promise.all(all)
    expect(calls.slice(0, 3)).toEqual(['appendFile', 'datasync', 'ack'])
    expect(calls.filter((call) => call === 'datasync')).toHaveLength(1)
    expect(acknowledged).toEqual(Array.from({ length: 50 }, (_, sequence) => sequence))
    await journal.close()
  })

  it('does not flush for records that are only settled', async () => {
    const calls: string[] = []
    const journal = make({ fs: spy(calls) })
    await journal.open()
    await journal.append(record(1))
    calls.length = 0
    await journal.settle([1])
    expect(calls).toEqual(['appendFile'])
    await journal.close()
  })

  it('cuts a torn tail, wherever the crash cut it, and tells', async () => {
    const { file, ends } = await sample()
    for (let length = 0; length < file.length; length++) {
      await writeFile(path, file.subarray(0, length))
      const whole = ends.filter((end) => end <= length)
      expect(await reopen(), `cut at ${length}`).toEqual(whole.slice(1).map((_, at) => record(at + 1)))
      const end = whole.at(-1) ?? 0
      expect(torn.splice(0), `cut at ${length}`).toEqual(
        length > end ? [{ path, offset: end, bytes: length - end }] : [],
      )
      expect((await stat(path)).size).toBe(Math.max(end, HEADER.length))
    }
  })

  it('cuts a tail whose blocks were allotted and never written', async () => {
    const { file, ends } = await sample()
    const end = ends.at(-2)!
    for (const zeros of [1, 11, 12, 64, 5000]) {
      await writeFile(path, Buffer.concat([file, Buffer.alloc(zeros)]))
      expect(await reopen()).toEqual([record(1), record(2), record(3)])
    }
    await writeFile(path, Buffer.concat([file.subarray(0, end + 14), Buffer.alloc(file.length - end - 14)]))
    expect(await reopen()).toEqual([record(1), record(2)])
  })

  it('refuses a file with any bit flipped, names the offset, and leaves the file as it was', async () => {
    const { file, ends } = await sample()
    for (let bit = 0; bit < file.length * 8; bit += 3) {
      const at = bit >> 3
      const bad = Buffer.from(file)
      bad[at]! ^= 1 << (bit & 7)
      await writeFile(path, bad)
      const error: unknown = await make()
        .open()
        .catch((thrown: unknown) => thrown)
      expect(error, `byte ${at}`).toBeInstanceOf(JournalError)
      expect(error).toMatchObject({
        code: 'ERR_JOURNAL',
        offset: at < HEADER.length ? 0 : ends.findLast((end) => end <= at),
      })
      expect(await readFile(path)).toEqual(bad)
    }
  })

  it('becomes small again when most of it is settled, and loses nothing by that', async () => {
    const journal = make({ compactAbove: '2kb' })
    await journal.open()
    await journal.append(record(0, 'stays'))
    for (let sequence = 1; sequence <= 300; sequence++) {
      await journal.append(record(sequence))
      await journal.settle([sequence])
    }
    expect((await stat(path)).size).toBeLessThan(3000)
    await journal.append(record(301))
    await journal.close()
    expect(await reopen()).toEqual([record(0, 'stays'), record(301)])
    expect(await readdir(folder)).toEqual(['writes.journal'])
  })

  it('has the new file and its name on disk before it goes on', async () => {
    const calls: string[] = []
    const journal = make({ compactAbove: 100, fs: spy(calls) })
    await journal.open()
    await journal.append(record(1))
    await journal.append(record(2, 'x'.repeat(200)))
    calls.length = 0
    await journal.settle([1, 2])
    expect(calls).toEqual([
      'appendFile',
      'unlink',
      'open',
      'appendFile',
      'sync',
      'rename',
      'close',
      'open',
      'sync',
      'close',
    ])
    await journal.close()
  })

  it('keeps a second opener out, in this process and in another', async () => {
    const journal = make()
    await journal.open()
    await expect(make().open()).rejects.toThrow('in use by process')
    await expect(journal.open()).rejects.toThrow('open already')
    const child = start(1)
    expect(await child.failure).toContain('in use by process')
    await journal.close()
    expect(await reopen()).toEqual([])
  })

  it('takes over the lock of a process that is gone, also when its number was given again', async () => {
    const lock = (owner: object) => writeFile(`${path}.lock`, JSON.stringify(owner))
    const { hostname } = await import('node:os')
    const gone = spawn(process.execPath, ['-e', ''])
    await once(gone, 'exit')
    await lock({ pid: gone.pid, host: hostname(), id: 'a' })
    expect(await reopen()).toEqual([])
    await lock({ pid: process.ppid, started: '1', host: hostname(), id: 'b' })
    if (process.platform === 'linux') expect(await reopen()).toEqual([])
    await lock({ pid: process.pid, started: '1', host: hostname(), id: 'c' })
    expect(await reopen()).toEqual([])
    await writeFile(`${path}.lock`, '')
    expect(await reopen()).toEqual([])
    await lock({ pid: 1, host: 'another-machine', id: 'd' })
    await expect(reopen()).rejects.toThrow('remove')
  })

  it('rejects on a full disk, and goes on when there is room again', async () => {
    const { fs, fail } = failing()
    const journal = make({ fs })
    await journal.open()
    await journal.append(record(1))
    fail('appendFile', 'ENOSPC: no space left on device', 10)
    await expect(journal.append(record(2))).rejects.toThrow(/ENOSPC/)
    await journal.append(record(3))
    await journal.close()
    expect(await reopen()).toEqual([record(1), record(3)])
    expect(torn).toEqual([])
  })

  it('accepts nothing after a failed flush, because nobody knows what the disk holds', async () => {
    const { fs, fail } = failing()
    const journal = make({ fs })
    await journal.open()
    fail('datasync', 'EIO: i/o error')
    await expect(journal.append(record(1))).rejects.toThrow(JournalError)
    await expect(journal.append(record(2))).rejects.toThrow('flush to disk failed')
    await journal.close()
  })

  it.each(['open', 'appendFile', 'sync', 'rename'] as const)(
    'keeps what it has when compaction fails at %s',
    async (call) => {
      const { fs, fail } = failing()
      const journal = make({ compactAbove: 300, fs })
      await journal.open()
      await journal.append(record(1))
      for (let sequence = 2; sequence < 20; sequence++) {
        const appended = journal.append(record(sequence))
        await appended
        if (sequence === 3) fail(call, 'ENOSPC', 0, (file) => file.endsWith('.new'))
        await journal.settle([sequence])
      }
      await journal.close()
      expect(await reopen()).toEqual([record(1)])
    },
  )

  it('says what is wrong with a folder that is not there or not writable', async () => {
    await expect(fileJournal({ path: join(folder, 'none', 'a.journal') }).open()).rejects.toThrow(
      /cannot be written|cannot be opened/,
    )
    const { fs, fail } = failing()
    fail('open', 'EROFS: read-only file system')
    await expect(make({ fs }).open()).rejects.toMatchObject({
      code: 'ERR_JOURNAL',
      cause: { message: expect.stringContaining('EROFS') },
    })
    expect(await reopen()).toEqual([])
  })

  it('takes nothing before open and after close', async () => {
    const journal = make()
    await expect(journal.append(record(1))).rejects.toThrow(ClosedError)
    await journal.open()
    const late = journal.append(record(1))
    await journal.close()
    await late
    await expect(journal.append(record(2))).rejects.toThrow(ClosedError)
    expect(await reopen()).toEqual([record(1)])
  })

  it('loses nothing that it acknowledged when the process is killed', { timeout: 60_000 }, async () => {
    const acknowledged = new Set<number>()
    const settling = new Set<number>()
    let first = 1
    for (let round = 0; round < 5; round++) {
      const child = start(first)
      await child.until(60 + 70 * round)
      child.kill()
      for (const line of await child.lines) {
        // The last line may be cut.
        const [, what, sequence] = /^(appended|settling) (\d+)\.$/.exec(line) ?? []
        if (what === 'appended') acknowledged.add(Number(sequence))
        if (what === 'settling') settling.add(Number(sequence))
        if (what) first = Math.max(first, Number(sequence) + 100)
      }
      const kept = new Set((await reopen()).map(({ sequence }) => sequence))
      const lost = [...acknowledged].filter((sequence) => !kept.has(sequence) && !settling.has(sequence))
      expect(lost, `round ${round}`).toEqual([])
    }
    expect(acknowledged.size).toBeGreaterThan(500)
  })
})

describe('crc32', () => {
  it('is the one of zlib', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
    // Only newer releases of Node have one to compare with.
    const bytes = Buffer.from(Array.from({ length: 999 }, (_, at) => (at * 31) & 255))
    if (zlibCrc32) expect(crc32(bytes)).toBe(zlibCrc32(bytes))
  })
})

/** A file of three frames, and where the header and each frame end. */
async function sample(): Promise<{ file: Buffer; ends: number[] }> {
  const journal = make()
  await journal.open()
  const ends = [(await stat(path)).size]
  for (const sequence of [1, 2, 3]) {
    await journal.append(record(sequence))
    ends.push((await stat(path)).size)
  }
  await journal.close()
  return { file: await readFile(path), ends }
}

type Around = (call: string, file: string, run: () => Promise<unknown>, args: unknown[]) => Promise<unknown>

/** Wraps the calls of a file system, those of its files included. */
function wrapFs(around: Around): JournalFs {
  const wrap = <T extends object>(target: T, names: readonly string[], file?: string): T => {
    const methods = names.map((name) => {
      const method = async (...args: unknown[]) => {
        const call = (target as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!.bind(target)
        const path = file ?? String(args[0])
        const result = await around(name, path, () => call(...args), args)
        return name === 'open'
          ? wrap(result as object, ['appendFile', 'datasync', 'sync', 'truncate', 'close'], path)
          : result
      }
      return [name, method]
    })
    return Object.fromEntries(methods) as T
  }
  return wrap(nodeFs, ['open', 'readFile', 'rename', 'unlink'])
}

function spy(calls: string[]): JournalFs {
  return wrapFs((call, _, run) => {
    calls.push(call)
    return run()
  })
}

/** A file system whose next matching call fails; a failing write first writes `written` bytes. */
function failing() {
  let plan: { call: string; message: string; written: number; only: (file: string) => boolean } | undefined
  const fs = wrapFs(async (call, file, run, args) => {
    if (plan?.call !== call || !plan.only(file)) return run()
    const { message, written } = plan
    plan = undefined
    if (written > 0) await appendFile(file, (args[0] as Buffer).subarray(0, written))
    throw new Error(message)
  })
  const fail = (call: string, message: string, written = 0, only: (file: string) => boolean = () => true) => {
    plan = { call, message, written, only }
  }
  return { fs, fail }
}

/** Starts file-journal.fixture.ts. */
function start(first: number) {
  const script = new URL('./file-journal.fixture.ts', import.meta.url).pathname
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=@millpond/source', '--import', 'tsx', script, path, String(first)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const lines: string[] = []
  let complaint = ''
  const reader = createInterface({ input: child.stdout! })
  child.stderr!.on('data', (text: Buffer) => (complaint += text.toString()))
  let enough = () => {}
  let count = Number.POSITIVE_INFINITY
  reader.on('line', (line) => {
    lines.push(line)
    if (lines.length >= count) enough()
  })
  const ended = once(child, 'close')
  return {
    until: (wanted: number) =>
      Promise.race([
        new Promise<void>((resolve) => {
          count = wanted
          enough = resolve
          if (lines.length >= count) resolve()
        }),
        ended.then(() => {
          throw new Error(complaint)
        }),
      ]),
    kill: () => child.kill('SIGKILL'),
    lines: ended.then(() => lines),
    failure: ended.then(() => complaint),
  }
}
