/** The numbers that stand for kinds of values and for other records in an RDB file. */

/** Kinds of values. */
export const TYPE = {
  STRING: 0,
  LIST: 1,
  SET: 2,
  ZSET: 3,
  HASH: 4,
  ZSET_2: 5,
  MODULE: 6,
  MODULE_2: 7,
  HASH_ZIPMAP: 9,
  LIST_ZIPLIST: 10,
  SET_INTSET: 11,
  ZSET_ZIPLIST: 12,
  HASH_ZIPLIST: 13,
  LIST_QUICKLIST: 14,
  STREAM_LISTPACKS: 15,
  HASH_LISTPACK: 16,
  ZSET_LISTPACK: 17,
  LIST_QUICKLIST_2: 18,
  STREAM_LISTPACKS_2: 19,
  SET_LISTPACK: 20,
  STREAM_LISTPACKS_3: 21,
  /** A hash whose fields expire: Redis 7.4. */
  HASH_METADATA: 24,
} as const

/** Records that are no key. */
export const RECORD = {
  FUNCTION: 245,
  FUNCTION_DRAFT: 246,
  MODULE_AUX: 247,
  IDLE: 248,
  FREQUENCY: 249,
  AUX: 250,
  RESIZE: 251,
  EXPIRY_MS: 252,
  EXPIRY_SECONDS: 253,
  SELECT: 254,
  END: 255,
} as const

/** How a string may lie that is not just its bytes. */
export const STRING = { INT8: 0, INT16: 1, INT32: 2, LZF: 3 } as const

/** The version that is written: Redis 7.0's. */
export const VERSION = 10
/** The version of payloads with a hash whose fields expire, which Redis 7.0 does not know. */
export const VERSION_FIELD_EXPIRY = 12
/** The last version that is read. */
export const VERSION_MAX = 12
