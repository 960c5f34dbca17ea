import { expect, test } from 'vitest'
import { InvalidationLog, LOG_MAX, type Told } from './invalidation-log.ts'

function told(names: string[], held = false, kind: Told['kind'] = 'key'): Told {
  return { kind, names, held }
}

async function drained(log: InvalidationLog): Promise<Told[]> {
  const all: Told[] = []
  await log.drain(
    async (one) => all.push(one),
    () => 0,
  )
  return all
}

test('of each name the last counts, and it takes the place of the last', async () => {
  const log = new InvalidationLog('all')
  log.add(told(['a', 'b'], true), 1)
  log.add(told(['c']), 2)
  log.add(told(['a']), 3)
  log.add(told(['a'], false, 'tag'), 4)
  expect(await drained(log)).toEqual([told(['b'], true), told(['c', 'a']), told(['a'], false, 'tag')])
  expect(log.isEmpty).toBe(true)
})

test('what is older than a moment can be forgotten', async () => {
  const log = new InvalidationLog('all')
  log.add(told(['a']), 1)
  log.add(told(['b']), 2)
  log.forgetBefore(2)
  expect(await drained(log)).toEqual([told(['b'])])
})

test('too many are one tag that voids everything', async () => {
  const log = new InvalidationLog('all')
  log.add(told(Array.from({ length: LOG_MAX + 1 }, (_, at) => `${at}`)), 1)
  expect(await drained(log)).toEqual([told(['all'], false, 'tag')])
})

test('what can not be told stays, unless something newer is known of it', async () => {
  const log = new InvalidationLog('all')
  log.add(told(['a', 'b'], true), 1)
  const failing = log.drain(
    async () => {
      log.add(told(['a']), 2)
      throw new Error('away')
    },
    () => 3,
  )
  await expect(failing).rejects.toThrow('away')
  expect(await drained(log)).toEqual([told(['a']), told(['b'], true)])
})

test('what is added while it is told is told too', async () => {
  const log = new InvalidationLog('all')
  log.add(told(['a']), 1)
  const names: string[] = []
  await log.drain(
    async (one) => {
      names.push(...one.names)
      if (names.length === 1) log.add(told(['b']), 2)
    },
    () => 2,
  )
  expect(names).toEqual(['a', 'b'])
})
