import { lookup, resolveSrv } from 'node:dns/promises'
import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Clock, Timer } from '../../core/clock.ts'

/**
 * Where members may be found, while this process knows none: a list, or the path of a file with one entry a line (`#` begins a
 * remark), which is read again when it changes. An entry is an address, `10.0.0.7` or `10.0.0.7:47101` or `[fd00::7]:47101`; a name with
 * addresses (A, AAAA), such as a headless service of Kubernetes; or a name of SRV records, `_mesh._udp.example.org`.
 */
export type SeedSource = readonly string[] | { readonly file: string }

/** An address that a seed stands for now. */
export interface SeedAddress {
  readonly host: string
  readonly port: number
}

/**
 * Follows a source of seeds: names are resolved again and again, the file is watched. What cannot be resolved for a while keeps the
 * addresses that it had.
 */
export class Seeds {
  readonly #source: SeedSource
  readonly #family: 4 | 6
  readonly #defaultPort: number
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #found: (addresses: readonly SeedAddress[]) => void
  readonly #last = new Map<string, readonly SeedAddress[]>()
  readonly #look = () => void this.refresh()
  #read: readonly string[] = []
  #timer: Timer | undefined
  #closed = false

  constructor(
    source: SeedSource,
    settings: { readonly family: 4 | 6; readonly defaultPort: number; readonly everyMs: number; readonly clock: Clock },
    found: (addresses: readonly SeedAddress[]) => void,
  ) {
    this.#source = source
    this.#family = settings.family
    this.#defaultPort = settings.defaultPort
    this.#everyMs = settings.everyMs
    this.#clock = settings.clock
    this.#found = found
  }

  /** Resolves when the addresses have been told for the first time. */
  async start(): Promise<void> {
    if ('file' in this.#source) watchFile(this.#source.file, { interval: 500, persistent: false }, this.#look)
    await this.refresh()
  }

  /** Looks again, now. */
  async refresh(): Promise<void> {
    this.#timer?.cancel()
    const entries = await this.#entries()
    const resolved = await Promise.all(entries.map((entry) => this.#resolve(entry)))
    if (this.#closed) return
    const addresses = new Map(resolved.flat().map((address) => [`${address.host} ${address.port}`, address]))
    this.#found([...addresses.values()])
    if (entries.length > 0 || 'file' in this.#source) this.#timer = this.#clock.after(this.#everyMs, this.#look)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    if ('file' in this.#source) unwatchFile(this.#source.file, this.#look)
  }

  async #entries(): Promise<readonly string[]> {
    if (!('file' in this.#source)) return this.#source
    const text = await readFile(this.#source.file, 'utf8').catch(() => undefined)
    // Whoever replaces a file may take it away for a moment.
    if (text !== undefined) this.#read = text.split('\n').flatMap((line) => line.replace(/#.*/, '').trim() || [])
    return this.#read
  }

  async #resolve(entry: string): Promise<readonly SeedAddress[]> {
    try {
      const found = await this.#ask(entry)
      this.#last.set(entry, found)
      return found
    } catch {
      return this.#last.get(entry) ?? []
    }
  }

  async #ask(entry: string): Promise<readonly SeedAddress[]> {
    if (entry.startsWith('_')) {
      const records = await resolveSrv(entry)
      return (await Promise.all(records.map(({ name, port }) => this.#addresses(name, port)))).flat()
    }
    const seed = parseSeed(entry)
    return seed ? await this.#addresses(seed.host, seed.port ?? this.#defaultPort) : []
  }

  async #addresses(host: string, port: number): Promise<SeedAddress[]> {
    if (isIP(host) > 0) return isIP(host) === this.#family ? [{ host, port }] : []
    const found = await lookup(host, { all: true, family: this.#family })
    return found.map(({ address }) => ({ host: address, port }))
  }
}

/** The parts of an entry that is no SRV name; undefined where it is none that can be used. */
export function parseSeed(entry: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:]+|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*))(?::(\d+))?$/i.exec(entry) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? undefined : Number(digits)
  return host === undefined || port === 0 || port! > 65_535 ? undefined : { host, port }
}
