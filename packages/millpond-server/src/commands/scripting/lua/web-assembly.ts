/** The slice of WebAssembly that Lua needs: Node's types have none of it. */

/** A function of a module, or one that it imports. */
export type WasmFunction = (...args: number[]) => unknown
/** By the names of a module and of what is imported from it. */
export type WasmImports = Readonly<Record<string, Readonly<Record<string, WasmFunction>>>>
export type WasmExports = Readonly<Record<string, unknown>>

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

export interface WasmTable {
  get(place: number): WasmFunction
  set(place: number, run: unknown): void
  grow(places: number): number
}

interface WebAssembly {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: WasmImports) => { readonly exports: WasmExports }
}

/** Compiles and instantiates a module at once. */
export function instantiate(bytes: Uint8Array, imports: WasmImports): WasmExports {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssembly }
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports
}

/** A 32-bit integer, in types of WebAssembly. */
const INT = 0x7f

/**
 * A function as one of WebAssembly: only such can lie in its tables. It is exported by a module that imports it.
 *
 * @param signature result and arguments, `i` for int or pointer, `v` for void
 */
export function asWasmFunction(run: WasmFunction, signature: string): WasmFunction {
  const args = signature.length - 1
  const type = [0x60, args, ...Array<number>(args).fill(INT), ...(signature[0] === 'v' ? [0] : [1, INT])]
  const bytes = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // One type; an import e.f of that type; an export f of it.
    ...[1, type.length + 1, 1, ...type],
    ...[2, 7, 1, 1, 0x65, 1, 0x66, 0, 0],
    ...[7, 5, 1, 1, 0x66, 0, 0],
  ])
  const { f } = instantiate(bytes, { e: { f: run } })
  return f as WasmFunction
}
