import { randomId } from '../core/ids.ts'
import { STORE_BATCH_MAX, type Store, type StoreRead, type StoreRecord } from '../core/store.ts'
import { type ContractCheck, holds, same } from './contracts.ts'

/** What the checks of a store need. */
export interface StoreSubject {
  /** A store on the place under test, in which the checks use keys and tags of their own. Each call may open a connection. */
  readonly open: () => Store | Promise<Store>
  /** Lets time pass, as the store counts it. */
  readonly pass: (ms: number) => Promise<void>
  /**
   * By how much every span of time is stretched. 1 (default) fits a clock that the test drives; where time is a server's own, a
   * busy machine may be late by about 100 ms times this before a check takes that for a fault.
   */
  readonly stretch?: number
}

/** What each check is run with. */
interface Given {
  readonly store: Store
  readonly open: () => Promise<Store>
  /** Stretched, as the spans that are handed to the store have to be. */
  readonly pass: (ms: number) => Promise<void>
  readonly stretched: (ms: number) => number
  readonly fenceMs: number
  /** Names that no other check and no earlier run has used. */
  readonly name: (suffix?: string) => string
}

const HOUR_MS = 3_600_000
const FENCE_MS = 400

const checks: Record<string, (given: Given) => Promise<void>> = {
  'an absent key has an empty mark and no record': async ({ store, name }) => {
    same((await store.read([name()], [])).entries, [{ mark: '' }], 'an absent key')
  },

  'what is filled is read as it was filled': async ({ store, name }) => {
    const key = name()
    const record = recordOf('value', { tags: [['a', 'version 1'], ['', '!2']], etag: 'W/"1"' }) // biome-ignore format: one line
    await put(store, key, record)
    const read = await readOf(store, key)
    holds(read.mark !== '', 'a stored record has a mark')
    same(read.record?.value, 'value', 'the value')
    same(read.record?.tags, record.tags, 'the tags')
    same(read.record?.etag, record.etag, 'the etag')
  },

  'a record without an etag has none when it is read': async ({ store, name }) => {
    const key = name()
    await put(store, key, recordOf('value'))
    same((await readOf(store, key)).record?.etag, undefined, 'the etag')
  },

  'answers come in the order of the keys, also of one that is asked for twice': async ({ store, name }) => {
    const [first, second, absent] = [name('1'), name('2'), name('3')]
    await put(store, first, recordOf('first'))
    await put(store, second, recordOf('second'))
    const { entries } = await store.read([second, absent, first, second], [])
    same(
      entries.map((read) => read.record?.value ?? 'none'),
      ['second', 'none', 'first', 'second'],
      'the values',
    )
  },

  'empty lists are answered': async ({ store, fenceMs }) => {
    same(await store.read([], []), { entries: [], versions: [] }, 'read')
    same(await store.invalidate([], fenceMs, false), [], 'invalidate')
    await store.bump([], undefined)
  },

  'remaining life counts down, through staleness to the end': async ({ store, name, pass, stretched }) => {
    const key = name()
    same(
      await store.fill(key, { ...recordOf('value'), freshMs: stretched(300), keepMs: stretched(900) }, ''),
      true,
      'the fill',
    )
    await pass(100)
    const young = (await readOf(store, key)).record!
    holds(young.freshMs > 0 && young.freshMs <= stretched(200), `freshMs after 100 of 300 ms: ${young.freshMs}`)
    await pass(300)
    const old = (await readOf(store, key)).record!
    same(old.freshMs, 0, 'freshMs of a stale record')
    holds(old.keepMs > 0 && old.keepMs <= stretched(500), `keepMs after 400 of 900 ms: ${old.keepMs}`)
    await pass(600)
    same(await readOf(store, key), { mark: '' }, 'a record at its end')
  },

  'a record may live for ever': async ({ store, name, pass }) => {
    const key = name()
    await put(store, key, { ...recordOf('value'), freshMs: Number.POSITIVE_INFINITY, keepMs: Number.POSITIVE_INFINITY })
    await pass(100)
    same((await readOf(store, key)).record?.freshMs, Number.POSITIVE_INFINITY, 'freshMs')
  },

  'a fill on an absent key is accepted once': async ({ store, name }) => {
    const key = name()
    same(await store.fill(key, recordOf('first'), ''), true, 'the first fill')
    same(await store.fill(key, recordOf('second'), ''), false, 'the second fill on the same mark')
    same((await readOf(store, key)).record?.value, 'first', 'the value')
  },

  'a fill on the mark that was read replaces, and gives a new mark': async ({ store, name }) => {
    const key = name()
    await put(store, key, recordOf('first'))
    const { mark } = await readOf(store, key)
    same(await store.fill(key, recordOf('second'), mark), true, 'the fill')
    const read = await readOf(store, key)
    same(read.record?.value, 'second', 'the value')
    holds(read.mark !== mark, 'a new record has a new mark, even on the same key')
    same(await store.fill(key, recordOf('third'), mark), false, 'a fill on the mark before')
  },

  'an equal record has another mark': async ({ store, name }) => {
    const key = name()
    await put(store, key, recordOf('same'))
    const { mark } = await readOf(store, key)
    await put(store, key, recordOf('same'))
    same(await store.fill(key, recordOf('other'), mark), false, 'a fill on the mark of the equal record before')
  },

  'of fills on one mark, one is accepted': async ({ store, open, name }) => {
    const [absent, tombstone] = [name('absent'), name('tombstone')]
    const [mark] = await store.invalidate([tombstone], HOUR_MS, false)
    const stores = await Promise.all([open(), open(), open(), open()])
    for (const [key, on] of [
      [absent, ''],
      [tombstone, mark!],
    ] as const) {
      const filled = await Promise.all(stores.map((store, at) => store.fill(key, recordOf(`${at}`), on)))
      same(filled.filter(Boolean).length, 1, 'fills accepted')
    }
  },

  'a fill on the mark of what is gone is refused': async ({ store, name, pass, fenceMs }) => {
    const key = name()
    const [mark] = await store.invalidate([key], fenceMs, false)
    await pass(FENCE_MS + 100)
    same(await store.fill(key, recordOf('late'), mark!), false, 'a fill on the mark of a tombstone that has ended')
  },

  'a tombstone refuses what was loaded before it': async ({ store, name }) => {
    const [absent, present] = [name('absent'), name('present')]
    await put(store, present, recordOf('old'))
    const { mark } = await readOf(store, present)
    await store.invalidate([absent, present], HOUR_MS, false)
    same(await store.fill(absent, recordOf('late'), ''), false, 'a fill of a key that was absent')
    same(await store.fill(present, recordOf('late'), mark), false, 'a fill of a key that was present')
    for (const read of (await store.read([absent, present], [])).entries) {
      same(read.record, undefined, 'the record of a tombstone')
      holds(read.mark !== '' && read.mark !== mark, 'a tombstone has a mark of its own')
      holds(read.held !== true, 'a plain tombstone is not held')
    }
  },

  'a tombstone accepts what was loaded after it': async ({ store, name }) => {
    const key = name()
    const [mark] = await store.invalidate([key], HOUR_MS, false)
    same((await readOf(store, key)).mark, mark, 'the mark that is read, and the one that invalidate returned')
    same(await store.fill(key, recordOf('new'), mark!), true, 'the fill')
    same((await readOf(store, key)).record?.value, 'new', 'the value')
  },

  'each tombstone has a mark of its own': async ({ store, name }) => {
    const [first, second] = [name('1'), name('2')]
    const marks = await store.invalidate([first, second], HOUR_MS, false)
    marks.push(...(await store.invalidate([second, first], HOUR_MS, false)))
    same(new Set(marks).size, 4, 'marks')
    same((await readOf(store, second)).mark, marks[2], 'marks in the order of the keys')
  },

  'a tombstone ends': async ({ store, name, pass, fenceMs }) => {
    const key = name()
    await store.invalidate([key], fenceMs, false)
    await pass(FENCE_MS + 100)
    same(await readOf(store, key), { mark: '' }, 'a tombstone at its end')
  },

  'a record that ends before the fence that it was filled into leaves the fence': async ({
    store,
    name,
    pass,
    stretched,
  }) => {
    const [key, refilled] = [name('1'), name('2')]
    await store.invalidate([key, refilled], HOUR_MS, false)
    const short = recordOf('short', { freshMs: stretched(50), keepMs: stretched(100) })
    for (const name of [key, refilled, refilled])
      same(await store.fill(name, short, (await readOf(store, name)).mark), true, 'a fill')
    await pass(300)
    for (const name of [key, refilled]) {
      same((await readOf(store, name)).record, undefined, 'a record at its end')
      same(await store.fill(name, recordOf('late'), ''), false, 'the fill of a load that began before the tombstone')
    }
    const { mark } = await readOf(store, key)
    same(await store.fill(key, recordOf('new'), mark), true, 'the fill of a load that began after the record ended')
  },

  'a held tombstone says that a write is under way, until the next one': async ({ store, name }) => {
    const key = name()
    const [mark] = await store.invalidate([key], HOUR_MS, true)
    same((await readOf(store, key)).held, true, 'held')
    await store.invalidate([key], HOUR_MS, false)
    holds((await readOf(store, key)).held !== true, 'the next tombstone is not held')
    same(await store.fill(key, recordOf('late'), mark!), false, 'a fill on the held mark')
  },

  'a held tombstone ends with its fence, and with the fill of its writer': async ({ store, name, pass, fenceMs }) => {
    const [left, filled] = [name('left'), name('filled')]
    await store.invalidate([left], fenceMs, true)
    const [mark] = await store.invalidate([filled], HOUR_MS, true)
    same(await store.fill(filled, recordOf('filled'), mark!), true, 'the fill of the writer')
    same((await readOf(store, filled)).record?.value, 'filled', 'the value')
    await pass(FENCE_MS + 100)
    same(await readOf(store, left), { mark: '' }, 'a held tombstone at its end')
  },

  'a tag keeps its version until it is bumped': async ({ store, open, name }) => {
    const [first, second] = [name('1'), name('2')]
    const before = await versionsOf(store, [first, second, first])
    same(before[2], before[0], 'a tag that is asked for twice')
    holds(before[0] !== before[1] && before[0] !== '', 'every tag has a version of its own')
    await store.bump([first], undefined)
    const after = await versionsOf(await open(), [second, first])
    same(after[0], before[1], 'a tag that was not bumped')
    holds(after[1] !== before[0], 'a tag that was bumped has another version')
    same(await versionsOf(store, [first]), [after[1]], 'the new version, asked for again')
    holds(!after.some((version) => version.startsWith('!')), 'nobody holds these tags')
  },

  'all who ask first for a tag are told the same version': async ({ open, name }) => {
    const tag = name()
    const stores = await Promise.all([open(), open(), open()])
    const versions = await Promise.all(stores.map(async (store) => (await versionsOf(store, [tag]))[0]))
    same(new Set(versions).size, 1, 'versions')
  },

  'a held version begins with !, until the next bump or its end': async ({ store, name, pass, fenceMs }) => {
    const [freed, left] = [name('freed'), name('left')]
    await store.bump([freed, left], fenceMs)
    const held = await versionsOf(store, [freed, left])
    holds(
      held.every((version) => version.startsWith('!')),
      `held versions: ${held.join(' ')}`,
    )
    await store.bump([freed], undefined)
    holds(!(await versionsOf(store, [freed]))[0]!.startsWith('!'), 'the next bump frees the tag')
    await pass(FENCE_MS + 100)
    holds(!(await versionsOf(store, [left]))[0]!.startsWith('!'), 'the hold is forgotten')
  },

  'what one connection writes, another reads': async ({ store, open, name }) => {
    const key = name()
    const other = await open()
    await put(store, key, recordOf('shared'))
    same((await readOf(other, key)).record?.value, 'shared', 'the value')
    await other.invalidate([key], HOUR_MS, false)
    same((await readOf(store, key)).record, undefined, 'the record after the other invalidated it')
  },

  'keys and tags are read together, and a key is no tag': async ({ store, name }) => {
    const [first, second] = [name('1'), name('2')]
    await put(store, first, recordOf('first'))
    const [version] = await versionsOf(store, [first])
    const { entries, versions } = await store.read([second, first], [second, first])
    same(
      entries.map((read) => read.record?.value ?? 'none'),
      ['none', 'first'],
      'the values',
    )
    same(versions[1], version, 'a version, read with keys')
    holds(versions[0] !== version && versions[0] !== '', 'each tag has a version of its own')
    await store.bump([first], undefined)
    same((await readOf(store, first)).record?.value, 'first', 'a key whose name is that of a tag that was bumped')
    await store.invalidate([second], HOUR_MS, false)
    same((await versionsOf(store, [second]))[0], versions[0], 'a tag whose name is that of a key that was invalidated')
  },

  'as many names as a call may have are answered in their order': async ({ store, name }) => {
    const count = STORE_BATCH_MAX / 2
    const names = Array.from({ length: count }, (_, at) => name(`${at}`))
    const marks = await store.invalidate(names, HOUR_MS, false)
    same(new Set(marks).size, count, 'marks')
    for (const at of [0, 1, count - 1]) {
      same(await store.fill(names[at]!, recordOf(`${at}`), marks[at]!), true, `a fill on mark ${at}`)
    }
    await store.bump(names, undefined)
    const { entries, versions } = await store.read(names, names)
    same([entries.length, new Set(versions).size], [count, count], 'answers')
    for (const at of [0, 1, count - 1]) same(entries[at]?.record?.value, `${at}`, `value ${at}`)
    same(entries[2]?.mark, marks[2], 'a mark between')
  },

  "a lease is one holder's, who may renew it and give it back": async ({ store, open, name }) => {
    const [key, other] = [name(), await open()]
    same(await store.lease(key, 'one', HOUR_MS), true, 'the first to ask')
    same(await other.lease(key, 'other', HOUR_MS), false, 'another holder')
    same(await store.lease(key, 'one', HOUR_MS), true, 'the holder, asked again')
    await other.release(key, 'other')
    same(await other.lease(key, 'other', HOUR_MS), false, 'another, after a release that was not its to give')
    await store.release(key, 'one')
    same(await other.lease(key, 'other', HOUR_MS), true, 'another, after the release')
    await other.release(name('never held'), 'other')
  },

  'of those who ask for a lease at once, one has it': async ({ open, name }) => {
    const key = name()
    const stores = await Promise.all([open(), open(), open(), open()])
    const got = await Promise.all(stores.map((store, at) => store.lease(key, `holder ${at}`, HOUR_MS)))
    same(got.filter(Boolean).length, 1, 'holders')
  },

  'a lease ends by its time, unless it is renewed': async ({ store, name, pass, fenceMs }) => {
    const [left, renewed] = [name('left'), name('renewed')]
    await store.lease(left, 'one', fenceMs)
    await store.lease(renewed, 'one', fenceMs)
    await pass(FENCE_MS / 2)
    same(await store.lease(renewed, 'one', 10 * fenceMs), true, 'a renewal')
    same(await store.lease(left, 'other', fenceMs), false, 'another, before the end')
    await pass(FENCE_MS)
    same(await store.lease(left, 'other', fenceMs), true, 'another, after the end')
    same(await store.lease(renewed, 'other', fenceMs), false, 'another, after a renewal')
    same(await store.lease(left, 'one', fenceMs), false, 'the holder before')
  },

  'a lease is beside what is stored': async ({ store, name }) => {
    const key = name()
    await store.lease(key, 'one', HOUR_MS)
    same(await readOf(store, key), { mark: '' }, 'the key under a lease')
    same(await store.fill(key, recordOf('value'), ''), true, 'a fill under a lease')
    await store.release(key, 'one')
    same((await readOf(store, key)).record?.value, 'value', 'the value after the release')
  },

  'any text is a key, a tag and a value': async ({ store, name }) => {
    const odd = [' ', '\n', '\0', 'a b', '{a}b', 'ü€😀', '\'"`$', '\\', '*?[]', ':#/', 'x'.repeat(600)]
    for (const text of odd) await put(store, name(text), recordOf(text, { tags: [[name(text), text]] }))
    const names = odd.map((text) => name(text))
    const { entries, versions } = await store.read(names, names)
    same(
      entries.map((read) => read.record?.value),
      odd,
      'the values',
    )
    same(new Set(versions).size, odd.length, 'versions of odd tags')
    await put(store, name('empty'), recordOf(''))
    same((await readOf(store, name('empty'))).record?.value, '', 'an empty value')
    const large = 'ä'.repeat(300_000)
    await put(store, name('large'), recordOf(large))
    holds((await readOf(store, name('large'))).record?.value === large, 'a large value')
  },

  'keys that only broken Unicode tells apart are two keys': async ({ store, name }) => {
    const keys = [name('\ud800'), name('\ud801'), name('\ufffd')]
    for (const [at, key] of keys.entries()) await put(store, key, recordOf(`${at}`))
    const { entries } = await store.read(keys, [])
    same(
      entries.map((read) => read.record?.value),
      ['0', '1', '2'],
      'the values',
    )
  },
}

/** What every `Store` has to do. Uses keys and tags that begin with `contract-` and a random id. */
export const storeContract: readonly ContractCheck<StoreSubject>[] = Object.entries(checks).map(([name, check]) => ({
  name,
  async run({ open, pass, stretch = 1 }) {
    const opened: Store[] = []
    const openOne = async (): Promise<Store> => {
      const store = await open()
      opened.push(store)
      return store
    }
    const id = randomId()
    try {
      const stretched = (ms: number): number => ms * stretch
      await check({
        store: await openOne(),
        open: openOne,
        pass: (ms) => pass(stretched(ms)),
        stretched,
        fenceMs: stretched(FENCE_MS),
        name: (suffix = '') => `contract-${id}:${suffix}`,
      })
    } finally {
      await Promise.all(opened.map((store) => store.close()))
    }
  },
}))

function recordOf(value: string, more: Partial<StoreRecord> = {}): StoreRecord {
  return { value, freshMs: HOUR_MS, keepMs: HOUR_MS, tags: [], ...more }
}

/** Puts a record whatever stands there. */
async function put(store: Store, key: string, record: StoreRecord): Promise<void> {
  const [mark] = await store.invalidate([key], HOUR_MS, false)
  same(await store.fill(key, record, mark!), true, `the fill of ${key.slice(0, 60)} on its tombstone`)
}

async function readOf(store: Store, key: string): Promise<StoreRead> {
  return (await store.read([key], [])).entries[0]!
}

async function versionsOf(store: Store, tags: readonly string[]): Promise<readonly string[]> {
  return (await store.read([], tags)).versions
}
