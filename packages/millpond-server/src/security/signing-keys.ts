/** The keys that tokens are signed with: one that signs, and the one before it, whose tokens go on until it is retired. */
import { randomBytes } from 'node:crypto'
import type { KeptFile } from './kept-file.ts'

export interface SigningKey {
  /** Told in the head of each token that it has signed. */
  readonly id: string
  /** 256 random bits, in base64url. */
  readonly secret: string
  readonly createdAtMs: number
}

export interface KeptKeys {
  /** The newest first; at most two. */
  readonly keys: readonly SigningKey[]
}

export class SigningKeys {
  readonly #file: KeptFile<KeptKeys>
  #keys: readonly SigningKey[]

  constructor(file: KeptFile<KeptKeys>, nowMs: number) {
    this.#file = file
    this.#keys = file.read()?.keys ?? []
    if (this.#keys.length === 0) this.rotate(nowMs)
  }

  /** The one that signs. */
  get current(): SigningKey {
    return this.#keys[0]!
  }

  /** The newest first. */
  get all(): readonly SigningKey[] {
    return this.#keys
  }

  find(id: string): SigningKey | undefined {
    return this.#keys.find((key) => key.id === id)
  }

  /** A new key signs from now on. Returns the id of the one that is known no longer, if there is one. */
  rotate(nowMs: number): string | undefined {
    const key = {
      id: randomBytes(6).toString('hex'),
      secret: randomBytes(32).toString('base64url'),
      createdAtMs: nowMs,
    }
    const [current, older] = this.#keys
    this.#keep(current ? [key, current] : [key])
    return older?.id
  }

  /** The older key is known no longer. Returns its id, if there was one. */
  retire(): string | undefined {
    const [current, older] = this.#keys
    if (older !== undefined) this.#keep([current!])
    return older?.id
  }

  #keep(keys: readonly SigningKey[]): void {
    this.#file.write({ keys })
    this.#keys = keys
  }
}
