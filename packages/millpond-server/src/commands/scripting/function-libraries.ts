/** Libraries of functions, which stay on the server until they are deleted: FUNCTION LOAD and FCALL. */
import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Client } from '../client.ts'
import { FunctionLoader } from './function-loader.ts'
import { parseLibrary, type ScriptFlag } from './script.ts'
import type { Scripts } from './scripts.ts'

/** A function that FCALL calls. */
export interface RegisteredFunction {
  readonly name: string
  readonly description: string | undefined
  readonly flags: ReadonlySet<ScriptFlag>
  /** The function, kept in the machine. */
  readonly ref: number
}

export interface FunctionLibrary {
  readonly name: string
  /** As it was loaded, with its first line. */
  readonly text: string
  readonly functions: readonly RegisteredFunction[]
}

/** What FUNCTION RESTORE does where a library is there already. */
export type RestorePolicy = 'append' | 'replace' | 'flush'

export class FunctionLibraries {
  readonly #scripts: Scripts
  #loaded: FunctionLoader | undefined
  #libraries = new Map<string, FunctionLibrary>()
  /** By name in small letters. */
  #functions = new Map<string, RegisteredFunction>()

  constructor(scripts: Scripts) {
    this.#scripts = scripts
  }

  /** All libraries, in the order in which they came. */
  get all(): readonly FunctionLibrary[] {
    return [...this.#libraries.values()]
  }

  get functionCount(): number {
    return this.#functions.size
  }

  find(name: string): RegisteredFunction | undefined {
    return this.#functions.get(name.toLowerCase())
  }

  /** Loads a library, and returns its name. @throws ReplyError, and nothing has changed */
  load(text: string, replace: boolean): string {
    const { name, body } = parseLibrary(text)
    const old = this.#libraries.get(name)
    if (old && !replace) throw new ReplyError(`Library '${name}' already exists`)
    const library = { name, text, functions: this.#loader.run(body) }
    try {
      this.#checkNames(library.functions, old)
    } catch (error) {
      this.#drop(library)
      throw error
    }
    if (old) this.#remove(old)
    this.#add(library)
    return name
  }

  delete(name: string): void {
    const library = this.#libraries.get(name)
    if (library === undefined) throw new ReplyError('Library not found')
    this.#remove(library)
  }

  flush(): void {
    for (const library of this.all) this.#remove(library)
  }

  /** Loads several libraries, all or none of them. */
  restore(texts: readonly string[], policy: RestorePolicy): void {
    const libraries = this.#libraries
    const functions = this.#functions
    this.#libraries = policy === 'flush' ? new Map<string, FunctionLibrary>() : new Map(libraries)
    this.#functions = policy === 'flush' ? new Map<string, RegisteredFunction>() : new Map(functions)
    const added: FunctionLibrary[] = []
    try {
      for (const text of texts) {
        const { name, body } = parseLibrary(text)
        const old = this.#libraries.get(name)
        if (old && policy === 'append') throw new ReplyError(`Library ${name} already exists`)
        if (old) this.#forget(old)
        const library = { name, text, functions: this.#loader.run(body) }
        added.push(library)
        this.#checkNames(library.functions, undefined)
        this.#add(library)
      }
    } catch (error) {
      for (const library of added) this.#drop(library)
      this.#libraries = libraries
      this.#functions = functions
      throw error
    }
    const kept = new Set(this.#libraries.values())
    for (const library of libraries.values()) if (!kept.has(library)) this.#drop(library)
  }

  /** FCALL and FCALL_RO. */
  call(
    client: Client,
    name: string,
    keys: readonly string[],
    words: readonly string[],
    readOnly: boolean,
    reply: Reply,
  ): void {
    const found = this.find(name)
    if (found === undefined) throw new ReplyError('Function not found')
    const { ref, flags } = found
    const push = (state: number): number => {
      this.#scripts.machine.pushKept(state, ref)
      this.#scripts.pushList(state, keys)
      this.#scripts.pushList(state, words)
      return 2
    }
    this.#scripts.start(client, { name: found.name, kind: 'function', flags, readOnly, push }, reply)
  }

  get #loader(): FunctionLoader {
    this.#loaded ??= new FunctionLoader(this.#scripts)
    return this.#loaded
  }

  #checkNames(functions: readonly RegisteredFunction[], old: FunctionLibrary | undefined): void {
    for (const added of functions) {
      const present = this.find(added.name)
      if (present === undefined || old?.functions.includes(present)) continue
      throw new ReplyError(`Function ${added.name} already exists`)
    }
  }

  #add(library: FunctionLibrary): void {
    this.#libraries.set(library.name, library)
    for (const added of library.functions) this.#functions.set(added.name.toLowerCase(), added)
  }

  #remove(library: FunctionLibrary): void {
    this.#forget(library)
    this.#drop(library)
  }

  #forget(library: FunctionLibrary): void {
    this.#libraries.delete(library.name)
    for (const { name } of library.functions) this.#functions.delete(name.toLowerCase())
  }

  #drop({ functions }: FunctionLibrary): void {
    for (const { ref } of functions) this.#scripts.machine.drop(ref)
  }
}
