import { randomId } from '../core/ids.ts'
import type { Store, StoreRead, StoreRecord } from '../core/store.ts'
import { type ContractCheck, holds, same } from './contracts.ts'

/** What the checks of a store need. */
export interface StoreSubject {
  /** A store on the place under test, in which the checks use keys and tags of their own. Each call may open a connection. */
  readonly open: () => Store | Promise<Store>
  /** Lets time pass, as the store counts it. */
  readonly pass: (ms: number) => Promise<void>
}

/** What each check is run with. */
interface Given {
  readonly store: Store
  readonly open: () => Promise<Store>
  readonly pass: (ms: number) => Promise<void>
  /** Names that no other check and no earlier run has used. */
  readonly name: (suffix?: string) => string
}

const HOUR_MS = 3_600_000
const FENCE_MS = 400

const checks: Record<string, (given: Given) => Promise<void>> = {
  'an absent key has an empty mark and no record': async ({ store, name }) => {
    same(await store.getMany([name()]), [{ mark: '' }], 'an absent key')
  },

  'what is set is read as it was set': async ({ store, name }) => {
    const key = name()
    const record = recordOf('value', { tags: [['a', 'version 1'], ['', '!2']], etag: 'W/"1"' }) // biome-ignore format: one line
    await store.set(key, record)
    const read = await readOf(store, key)
    holds(read.mark !== '', 'a stored record has a mark')
    same(read.record?.value, 'value', 'the value')
    same(read.record?.tags, record.tags, 'the tags')
    same(read.record?.etag, record.etag, 'the etag')
  },

  'a record without an etag has none when it is read': async ({ store, name }) => {
    const key = name()
    await store.set(key, recordOf('value'))
    same((await readOf(store, key)).record?.etag, undefined, 'the etag')
  },

  'answers come in the order of the keys, also of one that is asked for twice': async ({ store, name }) => {
    const [first, second, absent] = [name('1'), name('2'), name('3')]
    await store.set(first, recordOf('first'))
    await store.set(second, recordOf('second'))
    const reads = await store.getMany([second, absent, first, second])
    same(
      reads.map((read) => read.record?.value ?? 'none'),
      ['second', 'none', 'first', 'second'],
      'the values',
    )
  },

  'empty lists are answered': async ({ store }) => {
    same(await store.getMany([]), [], 'getMany')
    same(await store.invalidate([], FENCE_MS, false), [], 'invalidate')
    same(await store.versions([]), [], 'versions')
    await store.bump([], undefined)
  },

  'remaining life counts down, through staleness to the end': async ({ store, name, pass }) => {
    const key = name()
    await store.set(key, { ...recordOf('value'), freshMs: 300, keepMs: 900 })
    await pass(100)
    const young = (await readOf(store, key)).record!
    holds(young.freshMs > 0 && young.freshMs <= 200, `freshMs after 100 of 300 ms: ${young.freshMs}`)
    await pass(300)
    const old = (await readOf(store, key)).record!
    same(old.freshMs, 0, 'freshMs of a stale record')
    holds(old.keepMs > 0 && old.keepMs <= 500, `keepMs after 400 of 900 ms: ${old.keepMs}`)
    await pass(600)
    same(await readOf(store, key), { mark: '' }, 'a record at its end')
  },

  'a record may live for ever': async ({ store, name, pass }) => {
    const key = name()
    await store.set(key, { ...recordOf('value'), freshMs: Number.POSITIVE_INFINITY, keepMs: Number.POSITIVE_INFINITY })
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
    await store.set(key, recordOf('first'))
    const { mark } = await readOf(store, key)
    same(await store.fill(key, recordOf('second'), mark), true, 'the fill')
    const read = await readOf(store, key)
    same(read.record?.value, 'second', 'the value')
    holds(read.mark !== mark, 'a new record has a new mark, even on the same key')
    same(await store.fill(key, recordOf('third'), mark), false, 'a fill on the mark before')
  },

  'an equal record has another mark': async ({ store, name }) => {
    const key = name()
    await store.set(key, recordOf('same'))
    const { mark } = await readOf(store, key)
    await store.set(key, recordOf('same'))
    same(await store.fill(key, recordOf('other'), mark), false, 'a fill on the mark of the equal record before')
  },

  'of fills on one mark, one is accepted': async ({ open, name }) => {
    const key = name()
    const stores = await Promise.all([open(), open(), open(), open()])
    const filled = await Promise.all(stores.map((store, at) => store.fill(key, recordOf(`${at}`), '')))
    same(filled.filter(Boolean).length, 1, 'fills accepted')
  },

  'a tombstone refuses what was loaded before it': async ({ store, name }) => {
    const [absent, present] = [name('absent'), name('present')]
    await store.set(present, recordOf('old'))
    const { mark } = await readOf(store, present)
    await store.invalidate([absent, present], HOUR_MS, false)
    same(await store.fill(absent, recordOf('late'), ''), false, 'a fill of a key that was absent')
    same(await store.fill(present, recordOf('late'), mark), false, 'a fill of a key that was present')
    for (const read of await store.getMany([absent, present])) {
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

  'a tombstone ends': async ({ store, name, pass }) => {
    const key = name()
    await store.invalidate([key], FENCE_MS, false)
    await pass(FENCE_MS + 100)
    same(await readOf(store, key), { mark: '' }, 'a tombstone at its end')
  },

  'a held tombstone says that a write is under way, until the next one': async ({ store, name }) => {
    const key = name()
    const [mark] = await store.invalidate([key], HOUR_MS, true)
    same((await readOf(store, key)).held, true, 'held')
    await store.invalidate([key], HOUR_MS, false)
    holds((await readOf(store, key)).held !== true, 'the next tombstone is not held')
    same(await store.fill(key, recordOf('late'), mark!), false, 'a fill on the held mark')
  },

  'a held tombstone ends with its fence, with a set, and with the fill of its writer': async (given) => {
    const { store, name, pass } = given
    const [left, set, filled] = [name('left'), name('set'), name('filled')]
    await store.invalidate([left, set], FENCE_MS, true)
    await store.set(set, recordOf('set'))
    holds((await readOf(store, set)).held !== true, 'set ends the hold')
    const [mark] = await store.invalidate([filled], HOUR_MS, true)
    same(await store.fill(filled, recordOf('filled'), mark!), true, 'the fill of the writer')
    same((await readOf(store, filled)).record?.value, 'filled', 'the value')
    await pass(FENCE_MS + 100)
    same(await readOf(store, left), { mark: '' }, 'a held tombstone at its end')
  },

  'a tag keeps its version until it is bumped': async ({ store, open, name }) => {
    const [first, second] = [name('1'), name('2')]
    const before = await store.versions([first, second, first])
    same(before[2], before[0], 'a tag that is asked for twice')
    holds(before[0] !== before[1] && before[0] !== '', 'every tag has a version of its own')
    await store.bump([first], undefined)
    const after = await (await open()).versions([second, first])
    same(after[0], before[1], 'a tag that was not bumped')
    holds(after[1] !== before[0], 'a tag that was bumped has another version')
    same(await store.versions([first]), [after[1]], 'the new version, asked for again')
    holds(!after.some((version) => version.startsWith('!')), 'nobody holds these tags')
  },

  'all who ask first for a tag are told the same version': async ({ open, name }) => {
    const tag = name()
    const stores = await Promise.all([open(), open(), open()])
    const versions = await Promise.all(stores.map(async (store) => (await store.versions([tag]))[0]))
    same(new Set(versions).size, 1, 'versions')
  },

  'a held version begins with !, until the next bump or its end': async ({ store, name, pass }) => {
    const [freed, left] = [name('freed'), name('left')]
    await store.bump([freed, left], FENCE_MS)
    const held = await store.versions([freed, left])
    holds(
      held.every((version) => version.startsWith('!')),
      `held versions: ${held.join(' ')}`,
    )
    await store.bump([freed], undefined)
    holds(!(await store.versions([freed]))[0]!.startsWith('!'), 'the next bump frees the tag')
    await pass(FENCE_MS + 100)
    holds(!(await store.versions([left]))[0]!.startsWith('!'), 'the hold is forgotten')
  },

  'what one connection writes, another reads': async ({ store, open, name }) => {
    const key = name()
    const other = await open()
    await store.set(key, recordOf('shared'))
    same((await readOf(other, key)).record?.value, 'shared', 'the value')
    await other.invalidate([key], HOUR_MS, false)
    same((await readOf(store, key)).record, undefined, 'the record after the other invalidated it')
  },

  'any text is a key, a tag and a value': async ({ store, name }) => {
    const odd = [' ', '\n', '\0', 'a b', '{a}b', 'ü€😀', '\'"`$', '\\', '*?[]', ':#/', 'x'.repeat(600)]
    for (const text of odd) await store.set(name(text), recordOf(text, { tags: [[name(text), text]] }))
    const reads = await store.getMany(odd.map((text) => name(text)))
    same(
      reads.map((read) => read.record?.value),
      odd,
      'the values',
    )
    same(new Set(await store.versions(odd.map((text) => name(text)))).size, odd.length, 'versions of odd tags')
    await store.set(name('empty'), recordOf(''))
    same((await readOf(store, name('empty'))).record?.value, '', 'an empty value')
    const large = 'ä'.repeat(300_000)
    await store.set(name('large'), recordOf(large))
    holds((await readOf(store, name('large'))).record?.value === large, 'a large value')
  },

  'keys that only broken Unicode tells apart are two keys': async ({ store, name }) => {
    const keys = [name('\ud800'), name('\ud801'), name('\ufffd')]
    for (const [at, key] of keys.entries()) await store.set(key, recordOf(`${at}`))
    const reads = await store.getMany(keys)
    same(
      reads.map((read) => read.record?.value),
      ['0', '1', '2'],
      'the values',
    )
  },
}

/** What every `Store` has to do. Uses keys and tags that begin with `contract-` and a random id. */
export const storeContract: readonly ContractCheck<StoreSubject>[] = Object.entries(checks).map(([name, check]) => ({
  name,
  async run({ open, pass }) {
    const opened: Store[] = []
    const openOne = async (): Promise<Store> => {
      const store = await open()
      opened.push(store)
      return store
    }
    const id = randomId()
    try {
      const given = { store: await openOne(), open: openOne, pass, name: (suffix = '') => `contract-${id}:${suffix}` }
      await check(given)
    } finally {
      await Promise.all(opened.map((store) => store.close()))
    }
  },
}))

function recordOf(value: string, more: Partial<StoreRecord> = {}): StoreRecord {
  return { value, freshMs: HOUR_MS, keepMs: HOUR_MS, tags: [], ...more }
}

async function readOf(store: Store, key: string): Promise<StoreRead> {
  return (await store.getMany([key]))[0]!
}
