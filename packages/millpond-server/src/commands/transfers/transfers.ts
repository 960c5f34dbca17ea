/** What moves whole caches: backups, restores and imports, which run beside commands and are asked how far they are. */
import { ReplyError } from '../../engine/errors.ts'
import type { Service } from '../service.ts'

export type TransferKind = 'backup' | 'restore' | 'import'

/** How far one is. */
export interface TransferProgress {
  /** Keys that were dealt with. */
  readonly done: number
  /** About how many there are; `undefined`: nobody knows. */
  readonly total: number | undefined
  readonly bytes: number
}

/** What came of one: names with numbers and texts. */
export type TransferResult = Readonly<Record<string, string | number>>

/** How one is done. */
export interface TransferOptions {
  /** Of a restore: into a cache that holds something. Of an import: keys that are there are replaced. */
  readonly replace: boolean
  readonly signal: AbortSignal
  readonly onProgress: (progress: TransferProgress) => void
}

/** Who does them: it lies above the commands, and is given to the host by the server. */
export interface Movers {
  backUp(service: Service, location: string, options: TransferOptions): Promise<TransferResult>
  restore(service: Service, location: string, options: TransferOptions): Promise<TransferResult>
  /** @param source URL of a running Redis or memcached */
  bring(service: Service, source: string, options: TransferOptions): Promise<TransferResult>
  /** Backups of a cache in a place, the oldest first. */
  list(cache: string, location: string): Promise<readonly TransferResult[]>
}

/** One that runs, or ran. */
export interface Transfer {
  readonly id: number
  readonly kind: TransferKind
  readonly cache: string
  readonly startedAtMs: number
  state: 'running' | 'done' | 'failed'
  progress: TransferProgress
  result: TransferResult | undefined
  error: string | undefined
}

const KEPT_MAX = 100

/** The transfers of a host. One at a time for a cache; the last hundred are remembered. */
export class Transfers {
  readonly movers: Movers
  readonly #transfers = new Map<number, Transfer>()
  readonly #running = new Map<number, { readonly controller: AbortController; readonly ended: Promise<void> }>()
  #lastId = 0

  constructor(movers: Movers) {
    this.movers = movers
  }

  /** Begins one. @throws ReplyError BUSY: the cache has one already */
  begin(kind: TransferKind, service: Service, place: string, replace: boolean): Transfer {
    const { name: cache } = service.cache
    for (const id of this.#running.keys()) {
      const present = this.#transfers.get(id)!
      if (present.cache === cache) throw new ReplyError(`the cache '${cache}' has transfer ${id} under way`, 'BUSY')
    }
    const transfer: Transfer = {
      id: ++this.#lastId,
      kind,
      cache,
      startedAtMs: service.time.read(),
      state: 'running',
      progress: { done: 0, total: undefined, bytes: 0 },
      result: undefined,
      error: undefined,
    }
    const controller = new AbortController()
    this.#transfers.set(transfer.id, transfer)
    this.#running.set(transfer.id, {
      controller,
      ended: this.#run(transfer, service, place, replace, controller.signal),
    })
    this.#forget()
    return transfer
  }

  /** @throws ReplyError NOTFOUND */
  named(id: number): Transfer {
    const transfer = this.#transfers.get(id)
    if (transfer === undefined) throw new ReplyError(`there is no transfer ${id}`, 'NOTFOUND')
    return transfer
  }

  /** Ends one that runs; what it has done until then stays. Returns whether it ran. @throws ReplyError NOTFOUND */
  cancel(id: number): boolean {
    this.named(id)
    const running = this.#running.get(id)
    running?.controller.abort(new Error('it was cancelled'))
    return running !== undefined
  }

  /** Ends what runs for a cache. */
  cancelOf(cache: string): void {
    for (const [id, { controller }] of this.#running) {
      if (this.#transfers.get(id)!.cache === cache) controller.abort(new Error('the cache was deleted'))
    }
  }

  /** Ends all that run. */
  async stop(): Promise<void> {
    const running = [...this.#running.values()]
    for (const { controller } of running) controller.abort(new Error('the server has ended'))
    await Promise.all(running.map(({ ended }) => ended))
  }

  async #run(
    transfer: Transfer,
    service: Service,
    place: string,
    replace: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const onProgress = (progress: TransferProgress): void => void (transfer.progress = progress)
    const { movers } = this
    const does = { backup: movers.backUp, restore: movers.restore, import: movers.bring }[transfer.kind]
    try {
      transfer.result = await does.call(movers, service, place, { replace, signal, onProgress })
      transfer.state = 'done'
    } catch (error) {
      transfer.error = (error as Error).message
      transfer.state = 'failed'
    }
    this.#running.delete(transfer.id)
  }

  #forget(): void {
    for (const [id, { state }] of this.#transfers) {
      if (this.#transfers.size <= KEPT_MAX) return
      if (state !== 'running') this.#transfers.delete(id)
    }
  }
}
