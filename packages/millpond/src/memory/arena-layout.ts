/**
 * Where everything lies in an arena: one buffer, cut into pages. The first pages hold the table's own words, those of
 * the stripes and those of the pages; every other page is free, cut into chunks of one size, or part of a stripe's index.
 *
 * Words are 32 bits. A `ref` names a chunk: its byte offset / 16, so 31 bits reach 32 GiB and 0 is never a chunk.
 */
export interface ArenaLayout {
  readonly pageBytes: number
  /** A ref shifted right by this is the number of its page. */
  readonly pageRefShift: number
  readonly pages: number
  /** Pages that hold the words below. */
  readonly headerPages: number
  readonly stripes: number
  readonly stripeBits: number
  /** First word of the stripes' words, and how many each has. */
  readonly stripeWords: number
  readonly stripeStride: number
  readonly spaces: number
  /** Bytes before the payload of an item's first chunk. */
  readonly headBytes: number
  /** First word of the pages' words. */
  readonly pageWords: number
}

/** Words of the table. */
export const TABLE = {
  MAGIC: 0,
  PAGES: 1,
  PAGE_BYTES: 2,
  STRIPES: 3,
  SEED_0: 4,
  SEED_1: 5,
  ITEM_BYTES_MAX: 6,
  SPACES: 7,
  HEAD_BYTES: 8,
  /** Which of the table's policies is in use. */
  POLICY: 9,
  /** Pages that may be in use, and bytes / 16 in them: a limit need not be a whole number of pages. */
  LIMIT_PAGES: 10,
  LIMIT_UNITS: 13,
  /** Pages of homes. */
  HOME_PAGES: 14,
  /** Every stripe has a column of expiries from its beginning. */
  EXPIRIES: 11,
  /** Bits of the spaces whose items are gone, though they have not been removed yet. */
  DEAD_SPACES: 12,
  /** Lock of the page allocator. */
  LOCK: 16,
  FREE_PAGE: 17,
  USED_PAGES: 18,
  /** Bytes / 16 in chunks that hold items. */
  LIVE_UNITS: 20,
  /** Bytes / 16 that objects weigh to which items refer. */
  EXTRA_UNITS: 19,
  /** What the holder of the allocator's lock is about to do: read only when it died. */
  INTENT: 21,
  INTENT_REF: 22,
  INTENT_COUNT: 23,
  INTENT_WORD: 24,
  /** The stripe where the search for room goes on. */
  HAND: 26,
  /** Other threads use the arena too. */
  SHARED: 27,
  /** No home becomes smaller: entries stay in their slots. */
  KEEPS_SLOTS: 28,
  /** By class: first page with a free chunk; number of free chunks. */
  PARTIAL_PAGE: 128,
  FREE_CHUNKS: 192,
  MEMBERS: 256,
} as const

/** Threads that may have a table open at once, and words of each. */
export const MEMBERS_MAX = 62
export const MEMBER_WORDS = 8
const STRIPE_WORDS_FIRST = TABLE.MEMBERS + (MEMBERS_MAX + 2) * MEMBER_WORDS

/** Words of a stripe, from its first. */
export const STRIPE = {
  LOCK: 0,
  COUNT: 1,
  /** Which of the two following homes is in use: a new one is filled before it takes over by the change of this word. */
  HOME: 2,
  /** First page of the index, slots, expiries and policy; 0 when there is none. */
  HOME_PAGE: 3,
  HOME_PAGES: 5,
  /** Number of slots. Negative: there is a column of expiries. */
  HOME_SHAPE: 7,
  /** Slots from here on were never used. */
  USED_SLOTS: 9,
  /** First free slot + 1. */
  FREE_SLOT: 10,
  SWEEP_SLOT: 11,
  /** Slots with an expiry. */
  EXPIRING: 12,
  /** Bytes / 16 in chunks of this stripe's items. */
  LIVE_UNITS: 13,
  /** Moves when the home does, so that each thread knows when to look for it anew. */
  GENERATION: 14,
  /** What the holder of the lock is about to change: read only when it died. A slot + 1; three chains. */
  TOUCHING: 15,
  PENDING: 16,
  LEAVING: 17,
  MOVING: 18,
  /** Which of the table's policies the home holds the state of. */
  POLICY: 19,
  /** As `TABLE.EXTRA_UNITS`, of this stripe's items. */
  EXTRA_UNITS: 20,
  /** By space: items, and how many of them have an expiry. Only in a table of several spaces. */
  KEYS: 32,
} as const
export const STRIPE_WORDS = 32

/** Words of a page. */
export const PAGE = {
  /** One of `KIND`, or class + `KIND.CHUNKS`. */
  KIND: 0,
  LIVE: 1,
  /** Chunks from here on were never used. */
  BUMP: 2,
  FREE_REF: 3,
  PREVIOUS: 4,
  NEXT: 5,
  /** The member that empties the page: nothing of it is given out meanwhile. */
  DRAINER: 6,
} as const
export const PAGE_WORDS = 8

export const KIND = { FREE: 0, HEADER: 1, HOME: 2, CHUNKS: 8 } as const

/** Words of a chunk: its item's owner (0: free) and the next chunk of the item, or of the free list. */
export const CHUNK = { OWNER: 0, NEXT: 1, HASH: 2, KEY_LENGTH: 3, VALUE_LENGTH: 4, FLAGS: 5 } as const
/** The word after those, in a table that keeps when items were used: when, or how often, as `arena-use.ts` has it. */
export const CHUNK_USE = 6
/** Bytes before the payload: of an item's first chunk without and with that word, and of the other chunks. */
export const HEAD_BYTES = 24
export const HEAD_BYTES_USE = 28
export const TAIL_BYTES = 8
/** In an item's key length: it has an expiry. */
export const HAS_EXPIRY: number = 1 << 31
/** In an item's key length: it refers to an object, whose number is in `FLAGS`, and `VALUE_LENGTH` is what that weighs / 16. */
export const REFERENCE: number = 1 << 30
/** Between these and the length of the key: its space. */
export const SPACE_SHIFT = 25
export const SPACES_MAX = 32
export const KEY_LENGTH_MASK: number = (1 << SPACE_SHIFT) - 1
/** The part of an item's key length that belongs to the key: its length and its space. */
export const KEY_WORD_MASK: number = ~(HAS_EXPIRY | REFERENCE)

export const ARENA_MAGIC = 0x6d706f31

const KIB = 1024
const MIB = KIB * KIB

/** The layout of a new arena of at most so many bytes. */
export function planLayout(
  bytes: number,
  stripes: number = defaultStripes(bytes),
  spaces = 1,
  headBytes: number = HEAD_BYTES,
): ArenaLayout {
  const pageBytes = Math.min(64 * KIB, Math.max(4 * KIB, powerOfTwoAtMost(bytes / 1024)))
  return layoutOf(Math.floor(bytes / pageBytes), pageBytes, stripes, spaces, headBytes)
}

/** The layout from the numbers that an arena carries in its first words. */
export function layoutOf(
  pages: number,
  pageBytes: number,
  stripes: number,
  spaces: number,
  headBytes: number,
): ArenaLayout {
  const stripeStride = STRIPE_WORDS + (spaces > 1 ? spaces * 2 : 0)
  const pageWords = STRIPE_WORDS_FIRST + stripes * stripeStride
  return {
    pageBytes,
    pageRefShift: 31 - Math.clz32(pageBytes) - 4,
    pages,
    headerPages: Math.ceil(((pageWords + pages * PAGE_WORDS) * 4) / pageBytes),
    stripes,
    stripeBits: 31 - Math.clz32(stripes),
    stripeWords: STRIPE_WORDS_FIRST,
    stripeStride,
    spaces,
    headBytes,
    pageWords,
  }
}

/**
 * A stripe is what is locked, rebuilt and grown at once: about 4 MiB, so that none of these takes longer in a larger
 * table; smaller in small tables, so that threads rarely meet.
 */
function defaultStripes(bytes: number): number {
  const small = Math.min(64, powerOfTwoAtMost(bytes / MIB))
  return Math.max(1, Math.min(1024, Math.max(small, powerOfTwoAtMost(bytes / (4 * MIB)))))
}

function powerOfTwoAtMost(number: number): number {
  return number < 1 ? 0 : 2 ** Math.floor(Math.log2(number))
}
