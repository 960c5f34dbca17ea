/** A user: who it is by password, and what it may do. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { CommandEntry, CommandTable } from '../command-table.ts'
import { type Denial, Selector } from './selector.ts'

/** In order of what says more about what went wrong. */
const WEIGHT = { command: 0, key: 1, channel: 2 }

export class User {
  readonly name: string
  enabled = false
  noPassword = false
  /** SHA-256, as 64 hexadecimal digits. */
  passwords: string[] = []
  /** Whether what RESTORE brings is looked at closely. */
  sanitizes = true
  /** Whether it is told of keys by name that it may not read, as users of Redis are: see `Client.sees`. */
  seesAllKeys = true
  /** The first is the user's own; each of them allows by itself. */
  selectors: Selector[]
  readonly #table: CommandTable

  constructor(name: string, table: CommandTable) {
    this.name = name
    this.#table = table
    this.selectors = [new Selector(table)]
  }

  /** Whether it may do everything. */
  get unlimited(): boolean {
    return this.selectors.some(({ unlimited }) => unlimited)
  }

  /** Whether its own selector allows a command with whatever keys and channels. */
  opens({ id }: CommandEntry): boolean {
    return this.selectors[0]!.opens(id)
  }

  mayRead(key: string): boolean {
    return this.selectors.some((selector) => selector.mayRead(key))
  }

  /** Takes over what another one may do. */
  become(other: User): void {
    this.enabled = other.enabled
    this.noPassword = other.noPassword
    this.passwords = [...other.passwords]
    this.sanitizes = other.sanitizes
    this.selectors = other.selectors.map((selector) => selector.copy())
  }

  /** Whether this is its password. */
  accepts(password: string): boolean {
    if (!this.enabled) return false
    if (this.noPassword) return true
    const hash = Buffer.from(hashOf(password))
    return this.passwords.some((known) => timingSafeEqual(hash, Buffer.from(known)))
  }

  /** Applies a rule of ACL SETUSER. @throws ReplyError why it cannot be */
  apply(rule: string, channelsByDefault: boolean): void {
    const word = rule.toLowerCase()
    const sign = rule[0]
    if (word === '') return
    if (word === 'on' || word === 'off') this.enabled = word === 'on'
    else if (word === 'skip-sanitize-payload' || word === 'sanitize-payload')
      this.sanitizes = word === 'sanitize-payload'
    else if (word === 'nopass' || word === 'resetpass') {
      this.noPassword = word === 'nopass'
      this.passwords = []
    } else if (sign === '>' || sign === '#') this.#addPassword(passwordOf(rule))
    else if (sign === '<' || sign === '!') this.#removePassword(passwordOf(rule))
    else if (sign === '(' && rule.endsWith(')')) this.#addSelector(rule.slice(1, -1))
    else if (word === 'clearselectors') this.selectors.length = 1
    else if (word === 'reset') this.#reset(channelsByDefault)
    else this.selectors[0]!.apply(rule)
  }

  /** Why it may not give a command; `undefined`: it may. */
  denial(entry: CommandEntry, args: Arguments): Denial | undefined {
    let worst: Denial | undefined
    for (const selector of this.selectors) {
      const denial = selector.denial(entry, args)
      if (denial === undefined) return undefined
      const more = worst === undefined ? 1 : WEIGHT[denial.reason] - WEIGHT[worst.reason] || denial.place - worst.place
      if (more > 0) worst = denial
    }
    return worst
  }

  /** Whether what allows a command allows the reading of every key too. */
  mayReadAllKeys(entry: CommandEntry, args: Arguments): boolean {
    return this.selectors.some((selector) => selector.readsAllKeys && selector.denial(entry, args) === undefined)
  }

  /** What it may do, as rules. */
  get text(): string {
    const [own, ...others] = this.selectors.map(({ text }) => text)
    return [
      ...this.flags,
      ...this.passwords.map((password) => `#${password}`),
      own,
      ...others.map((text) => `(${text})`),
    ].join(' ')
  }

  get flags(): string[] {
    return [
      this.enabled ? 'on' : 'off',
      ...(this.noPassword ? ['nopass'] : []),
      ...(this.sanitizes ? [] : ['skip-sanitize-payload']),
    ]
  }

  #addPassword(hash: string): void {
    if (!this.passwords.includes(hash)) this.passwords.push(hash)
    this.noPassword = false
  }

  #removePassword(hash: string): void {
    const at = this.passwords.indexOf(hash)
    if (at < 0) throw new ReplyError('The password you are trying to remove from the user does not exist')
    this.passwords.splice(at, 1)
  }

  #addSelector(rules: string): void {
    const selector = new Selector(this.#table)
    for (const rule of rules.split(' ').filter(Boolean)) selector.apply(rule)
    this.selectors.push(selector)
  }

  #reset(channelsByDefault: boolean): void {
    this.passwords = []
    this.noPassword = false
    this.enabled = false
    this.sanitizes = true
    this.selectors = [new Selector(this.#table)]
    if (channelsByDefault) this.selectors[0]!.apply('allchannels')
  }
}

/** A password as it is kept. It is a byte string. */
export function hashOf(password: string): string {
  return createHash('sha256').update(password, 'latin1').digest('hex')
}

/** The hash in a rule such as '>secret' or '#<64 digits>'. */
function passwordOf(rule: string): string {
  if (rule[0] === '>' || rule[0] === '<') return hashOf(rule.slice(1))
  if (/^[\da-f]{64}$/.test(rule.slice(1))) return rule.slice(1)
  throw new ReplyError(
    'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
  )
}
