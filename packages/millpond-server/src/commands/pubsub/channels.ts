/** Who listens to which channels. */
import { Glob } from '../../engine/glob.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Client } from '../client.ts'
import { CLIENT_MODE } from '../modes.ts'
import { Topics } from '../topics/topics.ts'
import { pushMessage, writeNews } from '../topics/words.ts'

/** Channels by name, channels by pattern, and sharded channels, whose names live in a space of their own. */
export type ChannelKind = 'channel' | 'pattern' | 'shard'
/** Channels by name as topics, too: with numbers. */
type ListenedKind = ChannelKind | 'topic'
/** About what listening to a name takes beside the name. */
const BYTES_OF_ONE = 128
const KINDS = ['channel', 'pattern', 'shard', 'topic'] as const

/** What is told of each kind. */
const WORDS = {
  channel: { subscribe: 'subscribe', unsubscribe: 'unsubscribe' },
  pattern: { subscribe: 'psubscribe', unsubscribe: 'punsubscribe' },
  shard: { subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe' },
} as const

/** What one client listens to. Names and patterns are byte strings. */
export interface Subscriptions {
  readonly channel: Set<string>
  readonly pattern: Set<string>
  readonly shard: Set<string>
  readonly topic: Set<string>
}

export class Channels {
  readonly topics: Topics = new Topics((name) => this.count('topic', name) > 0)
  readonly #listeners: Readonly<Record<ListenedKind, Map<string, Set<Client>>>> = {
    channel: new Map(),
    pattern: new Map(),
    shard: new Map(),
    topic: new Map(),
  }
  readonly #globs = new Map<string, Glob>()

  /** Lets a client listen, and says so to it. */
  subscribe(client: Client, kind: ChannelKind, name: string, reply: Reply): void {
    this.listen(client, kind, name)
    tell(client, WORDS[kind].subscribe, name, kind, reply)
  }

  /** Lets a client listen, without a word. */
  listen(client: Client, kind: ListenedKind, name: string): void {
    client.subscriptions ??= { channel: new Set(), pattern: new Set(), shard: new Set(), topic: new Set() }
    if (!client.subscriptions[kind].has(name)) client.heldBytes += name.length + BYTES_OF_ONE
    client.subscriptions[kind].add(name)
    const listeners = this.#listeners[kind]
    listeners.set(name, (listeners.get(name) ?? new Set()).add(client))
    if (kind === 'pattern' && !this.#globs.has(name)) this.#globs.set(name, new Glob(name))
    client.setMode(CLIENT_MODE.SUBSCRIBED, true)
  }

  /** Lets a client no longer listen, to one or, without a name, to all of a kind, and says so. */
  unsubscribe(client: Client, kind: ChannelKind, name: string | undefined, reply: Reply): void {
    const names = name === undefined ? [...(client.subscriptions?.[kind] ?? [])] : [name]
    for (const one of names) {
      this.unlisten(client, kind, one)
      tell(client, WORDS[kind].unsubscribe, one, kind, reply)
    }
    if (names.length === 0) tell(client, WORDS[kind].unsubscribe, undefined, kind, reply)
  }

  /** Lets go of a client, without a word. */
  leave(client: Client): void {
    this.topics.leave(client)
    const { subscriptions } = client
    if (subscriptions === undefined) return
    for (const kind of KINDS) for (const name of [...subscriptions[kind]]) this.unlisten(client, kind, name)
  }

  /** Sends a message to all who listen, and returns how many. */
  publish(kind: 'channel' | 'shard', channel: string, message: string): number {
    const count = this.tell(kind, channel, message)
    return kind === 'shard' || this.topics.count === 0 ? count : count + this.#publishNumbered(channel, message)
  }

  /** As `publish`, to those alone who may hear it, and never kept for others: events of keys. */
  tell(kind: 'channel' | 'shard', channel: string, message: string, may = (_: Client): boolean => true): number {
    let count = 0
    const word = kind === 'shard' ? 'smessage' : 'message'
    for (const client of this.#listeners[kind].get(channel) ?? []) {
      if (!may(client)) continue
      client.push((reply) => writeWords(reply, [word, channel, message]))
      count++
    }
    if (kind === 'shard') return count
    for (const [pattern, glob] of this.#globs) {
      if (!glob.matches(channel)) continue
      for (const client of this.#listeners.pattern.get(pattern)!) {
        if (!may(client)) continue
        client.push((reply) => writeWords(reply, ['pmessage', pattern, channel, message]))
        count++
      }
    }
    return count
  }

  /** Names that somebody listens to. */
  names(kind: ChannelKind): string[] {
    return [...this.#listeners[kind].keys()]
  }

  /** How many listen to a name. */
  count(kind: ListenedKind, name: string): number {
    return this.#listeners[kind].get(name)?.size ?? 0
  }

  /** To who listens to the channel as a topic, or waits for its next message. */
  #publishNumbered(name: string, message: string): number {
    const added = this.topics.append(name, message)
    if (added === undefined) return 0
    const { topic, number, readers } = added
    const listeners = this.#listeners.topic.get(name) ?? new Set()
    for (const client of listeners) client.push((reply) => pushMessage(reply, topic, number, message))
    for (const reader of readers) {
      reader.service.waiters.end(reader, (reply) => writeNews(reply, topic, topic.from(number, topic.page)))
    }
    return listeners.size + readers.length
  }

  /** Lets a client listen no more, without a word. Returns whether it did. */
  unlisten(client: Client, kind: ListenedKind, name: string): boolean {
    const { subscriptions } = client
    if (!subscriptions?.[kind].delete(name)) return false
    client.heldBytes -= name.length + BYTES_OF_ONE
    const listeners = this.#listeners[kind]
    const all = listeners.get(name)!
    all.delete(client)
    if (all.size === 0) {
      listeners.delete(name)
      if (kind === 'pattern') this.#globs.delete(name)
    }
    if (total(subscriptions) === 0) client.setMode(CLIENT_MODE.SUBSCRIBED, false)
    return true
  }
}

/** How many a client listens to: sharded ones are told apart from the others. */
export function countOf(client: Client, kind: ChannelKind): number {
  const { subscriptions } = client
  if (subscriptions === undefined) return 0
  return kind === 'shard' ? subscriptions.shard.size : subscriptions.channel.size + subscriptions.pattern.size
}

function total(subscriptions: Subscriptions): number {
  return KINDS.reduce((sum, kind) => sum + subscriptions[kind].size, 0)
}

function tell(client: Client, word: string, name: string | undefined, kind: ChannelKind, reply: Reply): void {
  reply.push(3)
  reply.bulk(word)
  if (name === undefined) reply.nil()
  else reply.bulk(name)
  reply.integer(countOf(client, kind))
}

function writeWords(reply: Reply, words: readonly string[]): void {
  reply.push(words.length)
  for (const word of words) reply.bulk(word)
}
