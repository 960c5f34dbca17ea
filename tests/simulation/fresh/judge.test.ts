/** The judge's own tests: histories made by hand, good ones and bad ones. */
import { describe, expect, test } from 'vitest'
import { type Disaster, type History, madeAfterMs, type Read, versionAt, type Write } from './history.ts'
import { describeViolation, judge, tally } from './judge.ts'
import type { Fault } from './row-history.ts'

const KEY = 1
const [FIRST, SECOND, THIRD] = [1000, 2000, 3000].map((ms) => versionAt(ms, 3)) as [number, number, number]

function write(version: number, more: Partial<Write> = {}): Write {
  const beganMs = madeAfterMs(version)
  return { key: KEY, version, by: 'a', beganMs, ackedMs: beganMs + 10, server: 'old', ...more }
}

function read(version: number, beganMs: number, more: Partial<Read> = {}): Read {
  const usual = { by: 'b', mode: 'bounded', via: 'pool', key: KEY, isHit: true, boundMs: 250 } as const
  return { ...usual, version, beganMs, endedMs: beganMs + 1, ...more }
}

/** Two versions one second apart, and what else the case says. */
function played(reads: readonly Read[], more: Partial<History> = {}): History {
  const writes = more.writes ?? [write(FIRST), write(SECOND)]
  const survivors = writes.flatMap(({ key, version }) => (version === undefined ? [] : [{ key, version }]))
  const final = [{ key: KEY, version: SECOND }]
  return { writes, reads, disasters: [], survivors, final, ...more }
}

function faults(history: History): Fault[] {
  return judge(history).violations.map(({ fault }) => fault)
}

const CRASH: Disaster = { server: 'old', beganMs: 2500, endedMs: 2800, survivors: [{ key: KEY, version: FIRST }] }

describe('reads that the promise allows', () => {
  test.each<[string, History]>([
    ['the version of the moment', played([read(FIRST, 1500), read(SECOND, 2500)])],
    ['what was replaced less than the bound ago', played([read(FIRST, 2010 + 250)])],
    ['a new version before its writer was answered', played([read(SECOND, 2000, { mode: 'strict', endedMs: 2001 })])],
    ['an old one before that, strictly', played([read(FIRST, 2009, { mode: 'strict' })])],
    ['the row that was there first', played([read(0, 900), read(0, 1200)])],
    ['what a standby says, when it is no hit', played([read(0, 9000, { isHit: false, fromStandby: true })])],
    ["another process's write, within the bound", played([read(FIRST, 2100)])],
    ['an own write that the reader has not been told is done', played([read(FIRST, 2009, { by: 'a' })])],
    ['an own write by a loader, that knows nothing of it', played([read(FIRST, 2100, { by: 'a', via: 'loader' })])],
    ['the claim that was given', played([read(SECOND, 2050, { mode: 'atLeast', least: SECOND })])],
    ['more than was claimed', played([read(SECOND, 2500, { mode: 'atLeast', least: FIRST })])],
    ['the last version at rest', played([read(SECOND, 9000, { mode: 'rest' })])],
    [
      'a write without an answer, whose version nobody knows',
      played([read(THIRD, 3100)], { writes: [write(FIRST), write(SECOND), { ...write(THIRD), version: undefined }] }),
    ],
    [
      'a version that was lost, until the database answers again',
      played([read(SECOND, 2400), read(SECOND, 2800 + 250)], {
        disasters: [CRASH],
        survivors: [{ key: KEY, version: FIRST }],
      }),
    ],
    [
      'the version before one that was lost',
      played([read(FIRST, 2600, { mode: 'strict' }), read(FIRST, 9000, { mode: 'strict' })], {
        disasters: [CRASH],
        survivors: [{ key: KEY, version: FIRST }],
      }),
    ],
    [
      'a version that was written as the database came back, and lost later',
      played([read(SECOND, 2700 + 251)], {
        writes: [write(FIRST), write(SECOND, { beganMs: 2600, ackedMs: 2610, server: 'new' })],
        disasters: [
          { ...CRASH, endedMs: 2700 },
          { server: 'new', beganMs: 5000, endedMs: 5100, survivors: [{ key: KEY, version: FIRST }] },
        ],
        survivors: [{ key: KEY, version: FIRST }],
      }),
    ],
    [
      'a version that a crash left, and a failover took',
      played([read(SECOND, 4900)], {
        disasters: [
          { ...CRASH, survivors: [{ key: KEY, version: SECOND }] },
          { ...CRASH, server: 'new', beganMs: 5000, endedMs: 5100 },
        ],
        survivors: [{ key: KEY, version: FIRST }],
      }),
    ],
    [
      'a claim to what was lost',
      played([read(FIRST, 2900, { mode: 'atLeast', least: SECOND })], {
        disasters: [CRASH],
        survivors: [{ key: KEY, version: FIRST }],
      }),
    ],
  ])('%s', (_, history) => {
    expect(judge(history).violations.map(describeViolation)).toEqual([])
  })
})

describe('reads that it does not allow', () => {
  test.each<[string, Fault, History]>([
    ['a hit that was replaced before the bound', 'over the bound', played([read(FIRST, 2010 + 251)])],
    ['the same from the database', 'over the bound', played([read(FIRST, 2010 + 251, { isHit: false })])],
    ['a hit of a reader of a standby', 'over the bound', played([read(FIRST, 2400, { fromStandby: true })])],
    [
      'with a smaller bound',
      'over the bound',
      played([read(FIRST, 2010 + 61, { boundMs: 60 }), read(FIRST, 2010 + 60, { boundMs: 60 })]),
    ],
    [
      'a version that a later one replaced, whose own answer came late',
      'over the bound',
      played([read(FIRST, 3010 + 251)], {
        writes: [write(FIRST), write(SECOND, { ackedMs: 9000 }), write(THIRD)],
      }),
    ],
    ['a strict read of what had been replaced', 'not strict', played([read(FIRST, 2011, { mode: 'strict' })])],
    ['less than was claimed', 'own write missed', played([read(FIRST, 2005, { mode: 'atLeast', least: SECOND })])],
    ['an own write that was missed', 'own write missed', played([read(FIRST, 2050, { by: 'a' })])],
    [
      'an own write that was missed by who names an earlier one',
      'own write missed',
      played([read(FIRST, 2050, { by: 'a', mode: 'atLeast', least: FIRST })]),
    ],
    ['a version of nobody', 'nobody wrote it', played([read(FIRST + 7, 1500)])],
    ['a version from the future', 'nobody wrote it', played([read(SECOND, 1500)])],
    ['an old one at rest', 'wrong at rest', played([read(FIRST, 9000, { mode: 'rest' })])],
    [
      'a version that was lost, long after',
      'over the bound',
      played([read(SECOND, 2800 + 251)], { disasters: [CRASH], survivors: [{ key: KEY, version: FIRST }] }),
    ],
    [
      'the version before one that is lost only later',
      'over the bound',
      played([read(FIRST, 2400)], { disasters: [CRASH], survivors: [{ key: KEY, version: FIRST }] }),
    ],
    [
      'a claim to what is lost only later',
      'own write missed',
      played([read(FIRST, 2100, { mode: 'atLeast', least: SECOND })], {
        disasters: [CRASH],
        survivors: [{ key: KEY, version: FIRST }],
      }),
    ],
    [
      'what was replaced before a crash that took nothing',
      'over the bound',
      played([read(FIRST, 2900)], { disasters: [{ ...CRASH, survivors: [{ key: KEY, version: SECOND }] }] }),
    ],
  ])('%s', (_, fault, history) => {
    expect(faults(history)).toEqual([fault])
  })
})

test('hits are counted by mode, and the oldest is known', () => {
  const reads = [
    read(FIRST, 1500),
    read(FIRST, 2110),
    read(SECOND, 2110, { mode: 'strict' }),
    read(SECOND, 2110, { isHit: false }),
  ]
  const verdict = judge(played(reads))
  expect(verdict).toMatchObject({ reads: 4, hits: { bounded: 2, atLeast: 0, strict: 1, rest: 0 } })
  expect(verdict.oldestHitMs).toBeCloseTo(100, 6)
  expect(tally(verdict)).toEqual({
    'over the bound': 0,
    'own write missed': 0,
    'not strict': 0,
    'nobody wrote it': 0,
    'wrong at rest': 0,
  })
})

test('of a write that was missed it is said why it was to be seen', () => {
  const whys = (more: Partial<Read>) => judge(played([read(FIRST, 2050, more)])).violations.map(({ why }) => why)
  expect(whys({ by: 'a' })).toEqual([`version ${SECOND} was to be seen, which a had written`])
  expect(whys({ mode: 'atLeast', least: SECOND })).toEqual([`version ${SECOND} was to be seen, which the reader named`])
  expect(whys({ by: 'a', mode: 'atLeast', least: FIRST })).toEqual([
    `version ${SECOND} was to be seen, which a had written, beside ${FIRST}, which the reader named`,
  ])
})

test('a row that nobody knows is a mistake of who recorded the history', () => {
  expect(() => judge(played([read(FIRST, 1500, { key: 7 })]))).toThrow(/row 7/)
})
