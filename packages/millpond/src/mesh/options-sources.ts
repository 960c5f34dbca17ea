import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OptionError } from '../core/errors.ts'
import type { MeshNetwork, MeshOptions } from './options.ts'

/** How the text of a variable becomes an option. */
type Parse = (text: string, name: string) => unknown

const text: Parse = (value) => value
const list: Parse = (value) =>
  value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
const number: Parse = (value, name) => {
  const parsed = value.trim() === '' ? Number.NaN : Number(value)
  if (!Number.isNaN(parsed)) return parsed
  throw new OptionError(name, value, 'give a number')
}
/** A number of milliseconds or bytes, or one with a unit, which is checked where all options are. */
const amount: Parse = (value) => (/^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value.trim())
const flag: Parse = (value, name) => {
  if (/^(1|true|yes)$/i.test(value)) return true
  if (/^(0|false|no)$/i.test(value)) return false
  throw new OptionError(name, value, 'give true or false')
}
const seeds: Parse = (value, name) => (value.startsWith('file:') ? { file: value.slice(5) } : list(value, name))

/** Options that a variable or a file may give, and how each is read from text. Of the others there is no text. */
const MESH: Readonly<Partial<Record<keyof MeshOptions, Parse>>> = {
  name: text,
  peer: text,
  key: list,
  insecure: flag,
  joinTimeout: amount,
  maxDrift: amount,
  tombstoneTtl: amount,
  maxTombstones: number,
  maxValue: amount,
}
const NETWORK: Readonly<Record<keyof MeshNetwork, Parse>> = {
  interface: text,
  group: text,
  port: number,
  ownPort: number,
  streamPort: number,
  hopsMax: number,
  seeds,
  seedsEveryMs: number,
  mode: text,
  datagramBytesMax: number,
  bufferBytes: number,
}

/** Where options come from besides the argument; for tests. */
export interface OptionSources {
  /** Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The folder whose package.json, or the nearest one above, is read. Default: that of the process. */
  readonly folder?: string
}

/**
 * The options of the argument, completed from the environment, the file that MILLPOND_MESH_FILE names, and package.json, in that
 * order. Options of the network are completed one by one, unless a transport is given.
 *
 * @throws OptionError (`ERR_OPTION`) naming the variable or the field that cannot be used
 */
export function collectOptions(given: MeshOptions, sources: OptionSources = {}): MeshOptions {
  const environment = sources.environment ?? process.env
  const file = environment[`${PREFIX}FILE`]
  const below = [
    fromEnvironment(environment),
    file === undefined ? {} : checked(readJson(file, `${PREFIX}FILE`), file),
    fromPackage(sources.folder ?? process.cwd()),
  ]
  const network = objectOf('transport', objectOf('options', given).transport ?? {})
  const rising = [given, ...below].reverse()
  const merged: MeshOptions = Object.assign({}, ...rising.map(defined))
  const transport: MeshNetwork = Object.assign({}, ...rising.map((each) => defined(each.transport ?? {})))
  return { ...merged, transport: 'open' in network ? network : transport }
}

function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): MeshOptions {
  return { ...parsed(MESH, environment), transport: parsed(NETWORK, environment) as MeshNetwork }
}

function parsed(
  table: Readonly<Record<string, Parse | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
): object {
  const options: Record<string, unknown> = {}
  for (const [option, parse] of Object.entries(table)) {
    const name = PREFIX + option.replace(/[A-Z]/g, '_$&').toUpperCase()
    const value = environment[name]
    if (value !== undefined && value !== '') options[option] = parse!(value, name)
  }
  return options
}

/** The field of the nearest package.json; none is no fault. */
function fromPackage(folder: string): MeshOptions {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, 'package.json')
    if (existsSync(path)) {
      const { millpond } = readJson(path, 'package.json') as { millpond?: { mesh?: object } }
      return checked(millpond?.mesh ?? {}, path)
    }
    if (dirname(at) === at) return {}
  }
}

/** Options of a file: only names that exist, so that a slip of the pen is seen. */
function checked(options: object, path: string): MeshOptions {
  const { transport, ...rest } = options as { transport?: object }
  for (const [table, names] of [
    [MESH, Object.keys(rest)],
    [NETWORK, Object.keys(objectOf('transport', transport ?? {}))],
  ] as const) {
    const unknown = names.find((name) => !Object.hasOwn(table, name))
    if (unknown !== undefined) throw new OptionError(path, unknown, `there are ${Object.keys(table).join(', ')}`)
  }
  return options
}

function objectOf<Options extends object>(option: string, value: Options): Options {
  if (typeof value === 'object' && value !== null) return value
  throw new OptionError(option, value, 'give an object')
}

function readJson(path: string, option: string): object {
  try {
    const json: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof json === 'object' && json !== null) return json
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    throw new OptionError(option, path, `it cannot be read as JSON: ${cause.message}`)
  }
  throw new OptionError(option, path, 'give a file with an object in JSON')
}

function defined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

const PREFIX = 'MILLPOND_MESH_'
