/**
 * Two passwords for each cache, for those who want no tokens: clients use one while the other is made anew, so that no
 * moment comes at which none works. As Azure Cache for Redis has it.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeptFile } from './kept-file.ts'

export type AccessKeyName = 'primary' | 'secondary'

export const ACCESS_KEYS: readonly AccessKeyName[] = ['primary', 'secondary']

interface KeptAccessKey {
  readonly cache: string
  readonly key: AccessKeyName
  /** SHA-256 of the secret, as 64 hexadecimal digits. */
  readonly hash: string
  readonly createdAtMs: number
}

export interface KeptAccessKeys {
  readonly accessKeys: readonly KeptAccessKey[]
}

/** 256 bits by chance need no slow hash: nobody can try them all. */
const SECRET_BYTES = 32

export class AccessKeys {
  /** Told when a key opens nothing any more, so that its connections end. */
  onReplaced: (cache: string, key: AccessKeyName) => void = () => {}
  readonly #file: KeptFile<KeptAccessKeys>
  #keys: readonly KeptAccessKey[]

  constructor(file: KeptFile<KeptAccessKeys>) {
    this.#file = file
    this.#keys = file.read()?.accessKeys ?? []
  }

  /** Makes one of the keys anew. The secret is told this once; what the former one has opened is closed. */
  regenerate(cache: string, key: AccessKeyName, nowMs: number): string {
    const secret = randomBytes(SECRET_BYTES).toString('base64url')
    const others = this.#keys.filter((kept) => kept.cache !== cache || kept.key !== key)
    this.#keep([...others, { cache, key, hash: hashOf(secret).toString('hex'), createdAtMs: nowMs }])
    this.onReplaced(cache, key)
    return secret
  }

  /** Which of the keys of a cache this is; `undefined`: none. Takes the same time whatever is wrong. */
  find(cache: string, secret: string): AccessKeyName | undefined {
    const hash = hashOf(secret)
    let found: AccessKeyName | undefined
    for (const kept of this.#keys) {
      if (kept.cache === cache && timingSafeEqual(hash, Buffer.from(kept.hash, 'hex'))) found = kept.key
    }
    return found
  }

  /** When the keys of a cache were made; those that were not are left out. */
  list(cache: string): readonly { readonly key: AccessKeyName; readonly createdAtMs: number }[] {
    return this.#keys.filter((kept) => kept.cache === cache).map(({ key, createdAtMs }) => ({ key, createdAtMs }))
  }

  /** Forgets the keys of a cache that is no more. */
  forget(cache: string): void {
    if (this.list(cache).length > 0) this.#keep(this.#keys.filter((kept) => kept.cache !== cache))
  }

  #keep(keys: readonly KeptAccessKey[]): void {
    this.#file.write({ accessKeys: keys })
    this.#keys = keys
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret, 'latin1').digest()
}
