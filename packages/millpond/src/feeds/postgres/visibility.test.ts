import { expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import type { Connection } from './connect.ts'
import { resolveOptions } from './options.ts'
import type { ServerInfo } from './server-info.ts'
import { Visibility } from './visibility.ts'

const server = { synchronousCommit: 'on', segmentBytes: 16n * 1024n * 1024n } as ServerInfo

interface Question {
  readonly text: string
  answer(snapshot: string, lsn: string): Promise<void>
  refuse(sqlState: string): Promise<void>
}

/** A server that answers when the test says so. */
function setUp(lsn: 'flush' | 'insert' = 'flush') {
  const clock = manualClock()
  const questions: Question[] = []
  const query = (asked: string | { text: string }): Promise<{ rows: unknown[] }> =>
    new Promise((resolve, reject) => {
      const refuse = async (code: string): Promise<void> => {
        reject(Object.assign(new Error('refused'), { code }))
        await clock.advance(0)
      }
      const answer = async (snapshot: string, position: string): Promise<void> => {
        resolve({ rows: [{ snapshot, lsn: position }] })
        await clock.advance(0)
      }
      questions.push({ text: typeof asked === 'string' ? asked : asked.text, answer, refuse })
    })
  const told: string[] = []
  const failures: string[] = []
  let pings = 0
  const visibility = new Visibility({
    settings: resolveOptions({ tables: ['t'], lsn, clock, logger: silentLogger, stallTimeout: 1000 }),
    server,
    control: { query } as Connection,
    host: {
      begin() {},
      invalidate: (tags) => told.push(`invalidate ${tags.join()}`),
      settle: (tags) => told.push(`settle ${tags.join()}`),
      progress: () => told.push('progress'),
      waiting() {},
    },
    facts: { server, slot: 's', role: undefined, commits: 0, changes: 0, queries: 0 },
    startLsn: 100n,
    ping: () => pings++,
    failed: (error) => failures.push(error.message),
  })
  /** Answers whatever is asked, the flushes between the questions too. */
  const answerAll = async (snapshot: string, position: string): Promise<void> => {
    await clock.advance(0)
    while (questions.length > 0) await questions.shift()!.answer(snapshot, position)
  }
  return { answerAll, clock, questions, told, failures, visibility, pings: () => pings }
}

const commit = (xid: number, endLsn: bigint) => ({ xid, tags: [`t:${xid}`], commitLsn: endLsn - 1n, endLsn })

test('the proof is of the moment of the question, however late the answer', async () => {
  const { clock, questions, visibility, pings } = setUp()
  await clock.advance(5)
  visibility.start()
  await clock.advance(0)
  await clock.advance(400)
  await questions[0]!.answer('10:10:', '0/64')
  expect(visibility.watermark.freshAsOfMs).toBe(5)
  expect(pings()).toBe(1)
})

test('a commit is told, awaited, and settled by a snapshot that sees it', async () => {
  const { questions, told, visibility, clock } = setUp()
  visibility.announced(commit(11, 120n))
  visibility.advance(120n)
  await clock.advance(0)
  await questions[0]!.answer('11:12:11', '0/78')
  expect(told).toEqual(['invalidate t:11', 'progress'])
  await clock.advance(1)
  await questions[1]!.answer('12:12:', '0/78')
  expect(told).toEqual(['invalidate t:11', 'progress', 'settle t:11', 'progress'])
})

test('behind what the server has, nothing is proven; the silence of the stream ends the session', async () => {
  const { answerAll, told, failures, visibility, clock } = setUp()
  visibility.start()
  for (let turn = 0; turn < 20 && failures.length === 0; turn++) {
    await answerAll('10:10:', '0/FF')
    await clock.advance(62.5)
  }
  expect(told).toEqual([])
  expect(failures[0]).toMatch(/silent for 10\d\d ms/)
})

test('a stream that speaks and is behind is not taken for dead', async () => {
  const { answerAll, failures, visibility, clock } = setUp()
  visibility.start()
  for (let turn = 0; turn < 40; turn++) {
    visibility.heard()
    await answerAll('10:10:', '0/FF')
    await clock.advance(62.5)
  }
  expect(failures).toEqual([])
})

test('what stays off the disk is brought there by a commit of our own', async () => {
  const { questions, visibility, clock } = setUp('insert')
  visibility.start()
  await clock.advance(0)
  expect(questions[0]!.text).toContain('insert_lsn')
  await questions[0]!.answer('10:10:', '0/FF')
  await clock.advance(62.5)
  expect(questions[1]!.text).toContain('pg_logical_emit_message')
  await questions[1]!.answer('', '')
  expect(questions[2]!.text).toContain('insert_lsn')
  // Behind a page header no record has come yet: the end of the last one is what counts.
  await questions[2]!.answer('10:10:', '0/2018')
  visibility.advance(0x2000n)
  expect(visibility.watermark.freshAsOfMs).toBe(62.5)
})

test('who waits for an asynchronous commit has it brought to the disk at once', async () => {
  const { questions, visibility, clock } = setUp('insert')
  visibility.start()
  await clock.advance(0)
  await questions[0]!.answer('10:10:', '0/64')
  const reached = visibility.reached(150n)
  await clock.advance(0)
  expect(questions[1]!.text).toContain('pg_logical_emit_message')
  await questions[1]!.answer('', '')
  await questions[2]!.answer('10:10:', '0/96')
  visibility.advance(150n)
  expect(await reached).toBe(true)
  expect(await visibility.reached(150n)).toBe(true)
  expect(questions.length, 'nobody waits any more').toBe(3)
})

test('a role that may not write to the log waits for the log writer instead', async () => {
  const { questions, failures, visibility, clock } = setUp()
  visibility.start()
  await clock.advance(0)
  await questions[0]!.answer('10:10:', '0/FF')
  await clock.advance(62.5)
  expect(questions[1]!.text).toContain('pg_logical_emit_message')
  await questions[1]!.refuse('42501')
  await questions[2]!.answer('10:10:', '0/FF')
  await clock.advance(62.5)
  expect(questions[3]!.text).toContain('flush_lsn')
  expect(failures).toEqual([])
})
