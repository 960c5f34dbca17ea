/** What the WebAssembly build of Lua, made by Emscripten, asks of its host: memory, a clock, and jumps out of errors. */
import {
  asWasmFunction,
  type WasmExports,
  type WasmFunction,
  type WasmImports,
  type WasmMemory,
  type WasmTable,
} from './web-assembly.ts'

/** How Lua leaves functions of C, and ours between them, when there is an error. */
const JUMP = new Error('an error of Lua')

/** A memory of 32-bit addresses; signed above half of that. */
const MEMORY_MAX = 2 ** 31
const PAGE_BYTES = 64 * 1024
/** Memory grows by a fifth at least, so that it does so seldom. */
const GROWTH = 1.2

/** What of the module the host itself needs. */
interface Exports {
  readonly memory: WasmMemory
  readonly __indirect_function_table: WasmTable
  __wasm_call_ctors(): void
  emscripten_stack_init(): void
  stackSave(): number
  stackRestore(at: number): void
  setThrew(threw: number, value: number): void
}

/**
 * Everything else that C could ask for is refused: files, programs. The environment is empty. The sandbox gives scripts no function
 * that would, so whoever comes there has found a hole in it, and finds nothing behind.
 */
export class LuaHost {
  HEAPU8: Uint8Array = new Uint8Array(0)
  HEAPU16: Uint16Array = new Uint16Array(0)
  HEAP32: Int32Array = new Int32Array(0)
  /** To instantiate the module with. */
  readonly imports: WasmImports
  readonly #places = new WeakMap<WasmFunction, number>()
  #exports!: Exports

  constructor() {
    this.imports = {
      env: refusing({
        invoke_vii: (place, first, second) => this.#invoke(place!, first!, second!),
        _emscripten_throw_longjmp: () => {
          throw JUMP
        },
        emscripten_resize_heap: (bytes) => this.#grow(bytes! >>> 0),
        emscripten_memcpy_js: (to, from, bytes) => void this.HEAPU8.copyWithin(to!, from!, from! + bytes!),
        emscripten_date_now: () => Date.now(),
        _emscripten_get_now_is_monotonic: () => 1,
      }),
      wasi_snapshot_preview1: refusing({
        environ_sizes_get: (count, bytes) => this.#noEnvironment(count!, bytes!),
        environ_get: () => 0,
      }),
    }
  }

  /** The module is there. */
  begin(exports: WasmExports): void {
    this.#exports = exports as unknown as Exports
    this.#view()
    this.#exports.emscripten_stack_init()
    this.#exports.__wasm_call_ctors()
  }

  /** Makes a C function of a JavaScript one. `signature`: result and arguments, `i` for int or pointer, `v` for void. */
  addFunction(run: WasmFunction, signature: string): number {
    const known = this.#places.get(run)
    if (known !== undefined) return known
    const table = this.#exports.__indirect_function_table
    const place = table.grow(1)
    table.set(place, asWasmFunction(run, signature))
    this.#places.set(run, place)
    return place
  }

  /** How many variables the environment has, and how many bytes they take. */
  #noEnvironment(count: number, bytes: number): number {
    this.HEAP32[count >> 2] = this.HEAP32[bytes >> 2] = 0
    return 0
  }

  /** C's `setjmp`: runs a function, and says so where it has jumped out. */
  #invoke(place: number, first: number, second: number): void {
    const exports = this.#exports
    const top = exports.stackSave()
    try {
      exports.__indirect_function_table.get(place)(first, second)
    } catch (error) {
      exports.stackRestore(top)
      if (error !== JUMP) throw error
      exports.setThrew(1, 0)
    }
  }

  /** Returns whether there is room for so many bytes now. */
  #grow(bytes: number): number {
    const { memory } = this.#exports
    if (bytes > MEMORY_MAX) return 0
    const present = memory.buffer.byteLength
    const wanted = Math.min(MEMORY_MAX, Math.max(bytes, present * GROWTH))
    try {
      memory.grow(Math.ceil((wanted - present) / PAGE_BYTES))
    } catch (error) {
      if (error instanceof RangeError) return 0
      throw error
    }
    this.#view()
    return 1
  }

  /** Memory that has grown is another buffer. */
  #view(): void {
    const { buffer } = this.#exports.memory
    this.HEAPU8 = new Uint8Array(buffer)
    this.HEAPU16 = new Uint16Array(buffer)
    this.HEAP32 = new Int32Array(buffer)
  }
}

/** What is not there throws when it is called. */
function refusing(functions: Readonly<Record<string, WasmFunction>>): Readonly<Record<string, WasmFunction>> {
  const refuse = (name: string): never => {
    throw new Error(`Lua has asked its host for ${name}, which no script is to reach`)
  }
  return new Proxy(functions, { get: (given, name: string) => given[name] ?? (() => refuse(name)) })
}
