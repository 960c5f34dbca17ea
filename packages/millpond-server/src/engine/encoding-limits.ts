/** Up to what size a collection is said to have its small encoding: what CONFIG calls `hash-max-listpack-entries` and so on. */

/**
 * Our collections have one form each. OBJECT ENCODING tells what Redis would have, since clients and tests ask for it. As
 * there, a collection that once was large stays so. One object serves all keyspaces of a server, and CONFIG SET changes it.
 */
export class EncodingLimits {
  hashMaxListpackEntries = 512
  hashMaxListpackValue = 64
  setMaxIntsetEntries = 512
  zsetMaxListpackEntries = 128
  zsetMaxListpackValue = 64
  streamNodeMaxBytes = 4096
  streamNodeMaxEntries = 100
  listMaxListpackSize = -2
  hllSparseMaxBytes = 3000
}
