/** The schedules of a host: all its caches are backed up to one place, as the configuration says. */
import type { Host } from '../commands/host.ts'
import type { Service } from '../commands/service.ts'
import { locate } from './location.ts'
import { BackupSchedule, type ScheduleOptions, type ScheduleState } from './schedule.ts'

/** How soon a cache that was made, or a parameter that was changed, is noticed. */
const LOOK_EVERY_MS = 5000

/** Follows `backup-location`, `backup-every` and `backup-keep`, and which caches there are. */
export class Schedules {
  readonly #host: Host
  readonly #schedules = new Map<Service, BackupSchedule>()
  /** What they were made by. */
  #settings = ''
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined

  constructor(host: Host) {
    this.#host = host
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref()
    this.look()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#work
    await this.#stopAll()
  }

  /** How the backups of a cache stand; `undefined`: it has none. */
  stateOf(cache: string): ScheduleState | undefined {
    const service = this.#host.services.get(cache)
    return service && this.#schedules.get(service)?.state
  }

  /** Makes and ends schedules, so that they are what the configuration says. */
  look(): void {
    this.#work ??= this.#adjust()
      .catch((error: unknown) => this.#host.home.onFault(`no backups are made: ${(error as Error).message}`))
      .finally(() => {
        this.#work = undefined
      })
  }

  async #adjust(): Promise<void> {
    const { configuration } = this.#host.home
    const location = configuration.text('backup-location')
    const everyMs = configuration.number('backup-every') * 1000
    const options: ScheduleOptions = { everyMs, keep: configuration.number('backup-keep') }
    const settings = JSON.stringify([location, options])
    if (settings !== this.#settings) await this.#stopAll()
    this.#settings = settings
    if (location === '' || everyMs === 0) return
    const { services } = this.#host
    // A cache that was deleted and made anew is another one.
    for (const service of this.#schedules.keys()) {
      if (services.get(service.cache.name) !== service) await this.#stop(service)
    }
    for (const service of services.values()) {
      if (this.#schedules.has(service)) continue
      const schedule = new BackupSchedule(service, locate(location).vault, options)
      this.#schedules.set(service, schedule)
      await schedule.start()
    }
  }

  async #stop(service: Service): Promise<void> {
    const schedule = this.#schedules.get(service)
    this.#schedules.delete(service)
    await schedule?.stop()
  }

  async #stopAll(): Promise<void> {
    for (const service of [...this.#schedules.keys()]) await this.#stop(service)
  }
}
