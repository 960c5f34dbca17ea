/**
 * The page allocator's lists, and how they are made anew from what cannot be half-written: the kind of each page, the
 * owner of each chunk, and the intent of the holder that died.
 */
import { CHUNK, KIND, PAGE, TABLE } from './arena-layout.ts'
import type { ArenaMemory } from './arena-memory.ts'

/** What the holder of the allocator's lock is about to do, where doing half of it would lose or double something. */
export const INTENT = { NONE: 0, ALLOCATE: 1, FREE: 2, TAKE_HOME: 3, FREE_HOME: 4 } as const

/** Brings the allocator's words in order after its lock was inherited. May itself be interrupted and done again. */
export function repairPages(memory: ArenaMemory): void {
  const { words } = memory
  const ref = words[TABLE.INTENT_REF]!
  const intent = words[TABLE.INTENT]
  if (intent === INTENT.ALLOCATE || intent === INTENT.FREE) settleChunk(memory, intent, ref)
  if (intent === INTENT.TAKE_HOME || intent === INTENT.FREE_HOME) settleHome(memory, ref)
  rebuildLists(memory)
  words[TABLE.INTENT] = INTENT.NONE
}

/** Makes the lists of free pages and of pages with free chunks, and their counts, from the pages' own words. */
export function rebuildLists(memory: ArenaMemory): void {
  const { words, layout, classes } = memory
  words[TABLE.FREE_PAGE] = 0
  words.fill(0, TABLE.PARTIAL_PAGE, TABLE.FREE_CHUNKS + 64)
  let used = layout.headerPages
  let units = 0
  let homes = 0
  // From the top, so that the lists begin at the bottom.
  for (let page = layout.pages - 1; page >= layout.headerPages; page--) {
    const at = memory.pageWord(page)
    const kind = words[at + PAGE.KIND]!
    const drained = words[at + PAGE.DRAINER] !== 0
    if (kind !== KIND.FREE || drained) used++
    else linkPage(memory, TABLE.FREE_PAGE, page)
    if (kind === KIND.HOME) homes++
    if (kind < KIND.CHUNKS) continue
    const classNumber = kind - KIND.CHUNKS
    units += (words[at + PAGE.LIVE]! * classes.sizes[classNumber]!) / 16
    const free = classes.perPage[classNumber]! - words[at + PAGE.LIVE]!
    if (drained || free === 0) continue
    words[TABLE.FREE_CHUNKS + classNumber]! += free
    linkPage(memory, TABLE.PARTIAL_PAGE + classNumber, page)
  }
  words[TABLE.USED_PAGES] = used
  words[TABLE.LIVE_UNITS] = units
  words[TABLE.HOME_PAGES] = homes
}

/** Puts a page first in the list that begins at `list`. */
export function linkPage(memory: ArenaMemory, list: number, page: number): void {
  const { words } = memory
  const next = words[list]!
  const at = memory.pageWord(page)
  words[at + PAGE.PREVIOUS] = 0
  words[at + PAGE.NEXT] = next
  if (next !== 0) words[memory.pageWord(next) + PAGE.PREVIOUS] = page
  words[list] = page
}

/** Takes a page out of the list that begins at `list`. */
export function unlinkPage(memory: ArenaMemory, list: number, page: number): void {
  const { words } = memory
  const at = memory.pageWord(page)
  const previous = words[at + PAGE.PREVIOUS]!
  const next = words[at + PAGE.NEXT]!
  if (previous === 0) words[list] = next
  else words[memory.pageWord(previous) + PAGE.NEXT] = next
  if (next !== 0) words[memory.pageWord(next) + PAGE.PREVIOUS] = previous
}

/** An allocation that its chain does not know of is undone, a free is completed, and the page's own words made anew. */
function settleChunk(memory: ArenaMemory, intent: number, ref: number): void {
  const { words } = memory
  const chainWord = words[TABLE.INTENT_WORD]!
  if (intent === INTENT.ALLOCATE && words[chainWord] !== ref) words[ref * 4 + CHUNK.OWNER] = 0
  if (intent === INTENT.FREE) {
    // As long as the chain names the chunk, its link still leads to the rest of the chain.
    if (words[chainWord] === ref) words[chainWord] = words[ref * 4 + CHUNK.NEXT]!
    words[ref * 4 + CHUNK.OWNER] = 0
  }
  rebuildPage(memory, ref >>> memory.layout.pageRefShift)
}

/** The free chunks of a page are those without an owner. */
function rebuildPage(memory: ArenaMemory, page: number): void {
  const { words, layout, classes } = memory
  const at = memory.pageWord(page)
  const units = classes.sizes[words[at + PAGE.KIND]! - KIND.CHUNKS]! / 16
  const first = page << layout.pageRefShift
  let live = 0
  words[at + PAGE.FREE_REF] = 0
  for (let ref = first, left = words[at + PAGE.BUMP]!; left > 0; left--, ref += units) {
    if (words[ref * 4 + CHUNK.OWNER] !== 0) {
      live++
      continue
    }
    words[ref * 4 + CHUNK.NEXT] = words[at + PAGE.FREE_REF]!
    words[at + PAGE.FREE_REF] = ref
  }
  words[at + PAGE.LIVE] = live
}

/** A home that its stripe knows of is whole; one that it does not know of is given back. */
function settleHome(memory: ArenaMemory, first: number): void {
  const { words } = memory
  const known = words[words[TABLE.INTENT_WORD]!] === first
  for (let page = first; page < first + words[TABLE.INTENT_COUNT]!; page++) {
    const at = memory.pageWord(page)
    words[at + PAGE.DRAINER] = 0
    words[at + PAGE.KIND] = known ? KIND.HOME : KIND.FREE
  }
}
