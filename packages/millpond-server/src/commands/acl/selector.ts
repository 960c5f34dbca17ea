/** What a user may do: commands, and which keys and channels with them. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import { Glob } from '../../engine/glob.ts'
import type { KeySpec } from '../command.ts'
import type { CommandEntry, CommandTable } from '../command-table.ts'
import { keyPlaces } from '../key-places.ts'
import { CATEGORIES, type CategoryName, categoriesOf } from './categories.ts'

/** What is refused, and the place of the word at fault. In order: the later says more. */
export interface Denial {
  readonly reason: 'command' | 'key' | 'channel'
  readonly place: number
}

interface KeyPattern {
  readonly glob: Glob
  readonly pattern: string
  read: boolean
  write: boolean
}

/** Commands that name channels: where the first stands, whether more follow, whether they are patterns. */
const CHANNELS: Readonly<
  Record<string, { readonly first: number; readonly many: boolean; readonly patterns: boolean }>
> = {
  subscribe: { first: 1, many: true, patterns: false },
  ssubscribe: { first: 1, many: true, patterns: false },
  psubscribe: { first: 1, many: true, patterns: true },
  publish: { first: 1, many: false, patterns: false },
  spublish: { first: 1, many: false, patterns: false },
  'topic|info': { first: 2, many: false, patterns: false },
  'topic|publish': { first: 2, many: false, patterns: false },
  'topic|read': { first: 2, many: false, patterns: false },
  'topic|subscribe': { first: 2, many: false, patterns: false },
}

export class Selector {
  readonly #table: CommandTable
  /** By a command's number: 1 if it is allowed. */
  readonly #allowed: Uint8Array
  /** By a command's number: first words with which it is allowed, in small letters. */
  readonly #firstWords = new Map<number, string[]>()
  /** Whether commands are allowed that a later version may bring. */
  #future = false
  #allKeys = false
  #allChannels = false
  #keys: KeyPattern[] = []
  #channels: { readonly pattern: string; readonly glob: Glob }[] = []

  constructor(table: CommandTable) {
    this.#table = table
    this.#allowed = new Uint8Array(table.entries.length)
  }

  copy(): Selector {
    const copy = new Selector(this.#table)
    copy.#allowed.set(this.#allowed)
    for (const [id, words] of this.#firstWords) copy.#firstWords.set(id, [...words])
    copy.#future = this.#future
    copy.#allKeys = this.#allKeys
    copy.#allChannels = this.#allChannels
    copy.#keys = this.#keys.map((key) => ({ ...key }))
    copy.#channels = [...this.#channels]
    return copy
  }

  /** Whether everything is allowed. */
  get unlimited(): boolean {
    return this.#allKeys && this.#allChannels && this.#future && this.#allowed.every((allowed) => allowed === 1)
  }

  /** Whether every key may be read. */
  get readsAllKeys(): boolean {
    return this.#allKeys || this.#keys.some(({ pattern, read }) => read && pattern === '*')
  }

  /** Whether a command, by its number, is allowed with whatever keys and channels. */
  opens(id: number): boolean {
    return this.#allKeys && this.#allChannels && this.#allowed[id] === 1
  }

  mayRead(key: string): boolean {
    return this.#allKeys || this.#keys.some(({ glob, read }) => read && glob.matches(key))
  }

  get allChannels(): boolean {
    return this.#allChannels
  }

  get channels(): readonly string[] {
    return this.#channels.map(({ pattern }) => pattern)
  }

  /** Applies a rule such as '+get', '-@write', '~key*', '&news'. @throws ReplyError why it is none */
  apply(rule: string): void {
    switch (rule.toLowerCase()) {
      case 'allkeys':
      case '~*':
        this.#allKeys = true
        this.#keys = []
        return
      case 'resetkeys':
        this.#allKeys = false
        this.#keys = []
        return
      case 'allchannels':
      case '&*':
        this.#allChannels = true
        this.#channels = []
        return
      case 'resetchannels':
        this.#allChannels = false
        this.#channels = []
        return
      case 'allcommands':
      case '+@all':
        this.#allowAll(true)
        return
      case 'nocommands':
      case '-@all':
        this.#allowAll(false)
        return
    }
    const sign = rule[0]
    if (sign === '~' || sign === '%') this.#addKeys(rule)
    else if (sign === '&') this.#addChannels(rule.slice(1))
    else if (sign !== '+' && sign !== '-') throw new ReplyError('Syntax error')
    else if (rule[1] === '@') this.#allowCategory(rule.slice(2), sign === '+')
    else if (sign === '-') this.#allow(this.#find(rule.slice(1)), false)
    else this.#allowNamed(rule.slice(1))
  }

  /** Why a command is not allowed; `undefined`: it is. */
  denial(entry: CommandEntry, args: Arguments): Denial | undefined {
    if (!entry.needsNoUser && this.#allowed[entry.id] === 0 && !this.#allowsFirstWord(entry, args)) {
      return { reason: 'command', place: 0 }
    }
    if (!this.#allKeys) {
      for (const { place, spec } of keyPlaces(entry.command, args)) {
        if (!this.#allowsKey(args.text(place), spec)) return { reason: 'key', place }
      }
    }
    return this.#allChannels ? undefined : this.#deniedChannel(entry, args)
  }

  /** Whether a channel is allowed; patterns only if the same is. */
  allowsChannel(name: string, isPattern: boolean): boolean {
    return this.#channels.some(({ pattern, glob }) => (isPattern ? pattern === name : glob.matches(name)))
  }

  get keysText(): string {
    return this.#allKeys ? '~*' : this.#keys.map(textOf).join(' ')
  }

  get channelsText(): string {
    return this.#allChannels ? '&*' : this.#channels.map(({ pattern }) => `&${pattern}`).join(' ')
  }

  /** The whole of it as rules. */
  get text(): string {
    const channels = this.#allChannels ? '&*' : ['resetchannels', this.channelsText].filter(Boolean).join(' ')
    return [this.keysText, channels, this.commandsText].filter(Boolean).join(' ')
  }

  /**
   * The rules that lead to what is allowed: from all or from nothing, by the categories that fit best, then single commands.
   */
  get commandsText(): string {
    const add = !this.#future
    const made = new Selector(this.#table)
    const rules = [add ? '-@all' : '+@all']
    made.apply(rules[0]!)
    const left = this.copy()
    for (let best = left.#bestCategory(add, rules); best !== undefined; best = left.#bestCategory(add, rules)) {
      const rule = `${add ? '+' : '-'}@${best}`
      rules.push(rule)
      made.apply(rule)
      left.#allowCategory(best, !add)
    }
    for (const entry of this.#table.entries) {
      const allowed = this.#allowed[entry.id] === 1
      if (allowed !== (made.#allowed[entry.id] === 1)) {
        rules.push(`${allowed ? '+' : '-'}${entry.fullName}`)
        made.#allow(entry, allowed)
      }
      for (const word of this.#firstWords.get(entry.id) ?? []) rules.push(`+${entry.fullName}|${word}`)
    }
    return rules.join(' ')
  }

  /** The category not yet used that has most in common with what is still to be told, and least that is not. */
  #bestCategory(add: boolean, rules: readonly string[]): CategoryName | undefined {
    let best: CategoryName | undefined
    let bestWrong = Number.POSITIVE_INFINITY
    let bestRight = 0
    for (const category of CATEGORIES) {
      if (rules.includes(`${add ? '+' : '-'}@${category}`)) continue
      const members = this.#table.entries.filter((entry) => categoriesOf(entry).has(category))
      const on = members.filter(({ id }) => this.#allowed[id] === 1).length
      const [right, wrong] = add ? [on, members.length - on] : [members.length - on, on]
      if (right <= wrong || wrong > bestWrong || (wrong === bestWrong && right <= bestRight)) continue
      best = category
      bestWrong = wrong
      bestRight = right
    }
    return best
  }

  #allowAll(allowed: boolean): void {
    this.#allowed.fill(allowed ? 1 : 0)
    this.#future = allowed
    this.#firstWords.clear()
  }

  #allowCategory(name: string, allowed: boolean): void {
    const category = CATEGORIES.find((one) => one === name.toLowerCase())
    if (category === undefined) throw unknown()
    for (const entry of this.#table.entries) {
      if (!categoriesOf(entry).has(category)) continue
      this.#allowed[entry.id] = allowed ? 1 : 0
      this.#firstWords.delete(entry.id)
    }
  }

  #allowNamed(name: string): void {
    const bar = name.lastIndexOf('|')
    if (bar < 0) {
      this.#allow(this.#find(name), true)
      return
    }
    const entry = this.#find(name.slice(0, bar))
    const word = name.slice(bar + 1).toLowerCase()
    if (entry.parent) throw new ReplyError('Allowing first-arg of a subcommand is not supported')
    if (word === '') throw new ReplyError('Syntax error')
    if (entry.children) this.#allow(this.#find(name), true)
    else {
      const words = this.#firstWords.get(entry.id) ?? []
      if (!words.includes(word)) words.push(word)
      this.#firstWords.set(entry.id, words)
    }
  }

  /** With the commands of a container. */
  #allow(entry: CommandEntry, allowed: boolean): void {
    for (const one of this.#table.entries) {
      if (one !== entry && one.parent !== entry) continue
      this.#allowed[one.id] = allowed ? 1 : 0
      this.#firstWords.delete(one.id)
    }
  }

  #find(name: string): CommandEntry {
    const entry = this.#table.named(name)
    if (entry === undefined) throw unknown()
    return entry
  }

  #addKeys(rule: string): void {
    if (this.#allKeys) throw afterAll('allkeys', 'resetkeys', 'patterns')
    const [, access, pattern] = /^(~|%(?:R|W|RW|WR)~|%~)(.*)$/is.exec(rule) ?? []
    if (pattern === undefined || hasSpaces(pattern)) throw new ReplyError('Syntax error')
    const read = access === '~' || /r/i.test(access!)
    const write = access === '~' || /w/i.test(access!)
    const present = this.#keys.find((key) => key.pattern === pattern)
    if (present) {
      present.read ||= read
      present.write ||= write
    } else this.#keys.push({ pattern, glob: new Glob(pattern), read, write })
  }

  #addChannels(pattern: string): void {
    if (this.#allChannels) throw afterAll('allchannels', 'resetchannels', 'channels')
    if (hasSpaces(pattern)) throw new ReplyError('Syntax error')
    if (!this.#channels.some((channel) => channel.pattern === pattern)) {
      this.#channels.push({ pattern, glob: new Glob(pattern) })
    }
  }

  #allowsFirstWord(entry: CommandEntry, args: Arguments): boolean {
    const words = this.#firstWords.get(entry.id)
    return words !== undefined && args.count > 1 && words.includes(args.text(1).toLowerCase())
  }

  #allowsKey(key: string, { touches = [] }: KeySpec): boolean {
    const reads = touches.includes('access')
    const writes = touches.some((touch) => touch !== 'access')
    return this.#keys.some(({ glob, read, write }) => (read || !reads) && (write || !writes) && glob.matches(key))
  }

  #deniedChannel(entry: CommandEntry, args: Arguments): Denial | undefined {
    const spec = CHANNELS[entry.fullName]
    if (spec === undefined) return undefined
    const { first, many } = spec
    for (let place = first; place < (many ? args.count : first + 1); place++) {
      if (!this.allowsChannel(args.text(place), spec.patterns)) return { reason: 'channel', place }
    }
    return undefined
  }
}

function textOf({ pattern, read, write }: KeyPattern): string {
  return `${read && write ? '' : read ? '%R' : '%W'}~${pattern}`
}

function unknown(): ReplyError {
  return new ReplyError('Unknown command or category name in ACL')
}

function afterAll(all: string, reset: string, list: string): ReplyError {
  return new ReplyError(
    `Adding a pattern after the * pattern (or the '${all}' flag) is not valid and does not have any effect. Try '${reset}' to start with an empty list of ${list}`,
  )
}

export function hasSpaces(text: string): boolean {
  return /[\s\0]/.test(text)
}
