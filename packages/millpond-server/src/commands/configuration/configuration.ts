/** The configuration of a server: what every parameter is, who is told when one changes. */
import { ReplyError } from '../../engine/errors.ts'
import type { Parameter } from './parameter.ts'
import { PARAMETERS } from './parameters.ts'

interface Entry {
  readonly parameter: Parameter
  /** What it is by itself. */
  initial: string
  value: string
  readonly listeners: ((value: string) => void)[]
}

/** What cannot be set, with the parameter at fault. */
export class ConfigurationError extends Error {
  readonly parameter: string
  /** Why; 'unknown': there is no such parameter. */
  readonly reason: string
  /** Where it stands in a file, or among the arguments after it. */
  readonly line: { readonly text: string; readonly number: number } | undefined

  constructor(parameter: string, reason: string, line?: { readonly text: string; readonly number: number }) {
    super(
      line === undefined
        ? `${parameter}: ${reason}`
        : `line ${line.number} of the configuration, '${line.text}': ${reason}`,
    )
    this.parameter = parameter
    this.reason = reason
    this.line = line
  }
}

export class Configuration {
  /** The file that was read at the start: CONFIG REWRITE writes it. */
  file: string | undefined
  readonly #entries = new Map<string, Entry>()
  readonly #all: Entry[] = []

  constructor() {
    for (const parameter of PARAMETERS) {
      const entry: Entry = { parameter, initial: parameter.initial, value: parameter.initial, listeners: [] }
      this.#all.push(entry)
      this.#entries.set(parameter.name, entry)
      if (parameter.alias) this.#entries.set(parameter.alias, entry)
    }
  }

  /** All parameters by name, with the older names. */
  *[Symbol.iterator](): Generator<readonly [name: string, value: string]> {
    for (const [name, { value }] of this.#entries) yield [name, value]
  }

  /** Those that are not as they are by themselves, or all that are not hidden. */
  changed(all = false): (readonly [name: string, value: string, many: boolean])[] {
    return this.#all
      .filter(({ parameter, initial, value }) => (all ? !parameter.hidden : value !== initial))
      .map(({ parameter, value }) => [parameter.name, value, parameter.many === true] as const)
  }

  text(name: string): string {
    return this.#entries.get(name)!.value
  }

  /** A parameter that is a number, of bytes or others. */
  number(name: string): number {
    return Number(this.text(name))
  }

  is(name: string): boolean {
    return this.text(name) === 'yes'
  }

  parameter(name: string): Parameter | undefined {
    return this.#entries.get(name.toLowerCase())?.parameter
  }

  /** Calls with the value of a parameter now, and each time that it changes. It may refuse by a ReplyError. */
  follow(name: string, run: (value: string) => void): void {
    const entry = this.#entries.get(name)!
    entry.listeners.push(run)
    run(entry.value)
  }

  /** Says what a parameter has become by itself, such as the port that was free. */
  start(name: string, value: string): void {
    this.#restore(this.#entry(name), value)
  }

  /** Sets what parameters are by themselves, where that is not what we would choose: `--redis-conf`. */
  assume(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) {
      const entry = this.#entry(name)
      entry.initial = value
      this.#restore(entry, value)
    }
  }

  /** Sets parameters: all, or none when one of them cannot be. @throws ConfigurationError */
  set(values: readonly (readonly [name: string, value: string])[]): void {
    const before = values.map(([name]) => this.#entry(name).value)
    let done = 0
    try {
      for (const [name, value] of values) {
        done++
        this.#put(this.#entry(name), value)
      }
    } catch (error) {
      for (let at = done - 1; at >= 0; at--) this.#restore(this.#entry(values[at]![0]), before[at]!)
      throw error
    }
  }

  #put(entry: Entry, value: string): void {
    try {
      const read = entry.parameter.read(value, entry.value)
      if (read === entry.value) return
      entry.value = read
      for (const run of entry.listeners) run(read)
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      throw new ConfigurationError(entry.parameter.name, error.message)
    }
  }

  #restore(entry: Entry, value: string): void {
    if (entry.value === value) return
    entry.value = value
    for (const run of entry.listeners) run(value)
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name.toLowerCase())
    if (entry === undefined) throw new ConfigurationError(name, 'unknown')
    return entry
  }
}
