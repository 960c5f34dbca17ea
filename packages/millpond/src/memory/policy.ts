/** Why an entry left a table. `evict`: for space. `expire`: for age. `delete`: by the user. `replace`: a new value. `invalidate`: no longer valid. */
export type RemovalReason = 'evict' | 'expire' | 'delete' | 'replace' | 'invalidate'
export type PolicyFactory = (capacity: number) => unknown
