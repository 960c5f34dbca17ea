/** What a worker is told when it starts, and what the threads tell each other that is no byte of a peer. */
import type { MessagePort } from 'node:worker_threads'
import type { SlowCommand } from '../commands/server/slow-log.ts'
import type { ItemsHandle } from '../engine/items.ts'
import type { PeerAddress } from './remote-peer.ts'

export interface WorkerTask {
  /** From 0. */
  readonly number: number
  readonly port: MessagePort
  readonly turnstile: Int32Array
  readonly items: ItemsHandle
  readonly tally: Float64Array
  /** Of the home service. */
  readonly configuration: readonly (readonly [name: string, value: string])[]
  readonly capacity: number
  readonly rules: CacheRules
  /** Sockets of home that listen, where several threads can not have one port; without: the worker opens its own. */
  readonly listening: readonly number[] | undefined
}

/** What a cache allows of a key, beside what the configuration says. */
export interface CacheRules {
  readonly defaultTtlMs: number
  readonly maxTtlMs: number
  readonly itemBytesMax: number
}

/** To home. */
export type WorkerNote =
  /** It accepts connections. */
  | { readonly about: 'ready' }
  /** A peer has come. */
  | { readonly about: 'peer'; readonly peer: number; readonly address: PeerAddress }
  /** What has happened since the last one. */
  | {
      readonly about: 'report'
      /** Peers whose commands it has executed, each with the number of the last one. */
      readonly active: readonly number[]
      /** Peers that have taken more or less of what was sent to them, each with the bytes that wait. */
      readonly pending: readonly number[]
      /** Errors that were answered. */
      readonly errors: readonly string[]
      /** Collections that are in the table no more. */
      readonly released: readonly number[]
      readonly slow: readonly (readonly [peer: number, SlowCommand])[]
    }

/** To a worker. */
export type HomeNote =
  | { readonly about: 'parameter'; readonly name: string; readonly value: string }
  | { readonly about: 'rules'; readonly rules: CacheRules }
  /** Accept nobody any more. */
  | { readonly about: 'stop' }
  /** End all connections once they have what is theirs, and then the thread. */
  | { readonly about: 'end' }
