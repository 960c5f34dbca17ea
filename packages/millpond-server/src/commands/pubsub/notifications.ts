/** Keyspace events: what happens to keys is published, to who has switched it on by `notify-keyspace-events`. */
import type { EventClass, Keyspace } from '../../engine/keyspace.ts'
import type { ChangeListener } from '../changes.ts'
import type { Client } from '../client.ts'
import type { Service } from '../service.ts'

export class Notifications implements ChangeListener {
  readonly #service: Service
  #classes = new Set<string>()
  #byKey = false
  #byEvent = false

  constructor(service: Service) {
    this.#service = service
    service.changes.add(this)
    service.configuration.follow('notify-keyspace-events', (letters) => {
      this.#classes = new Set(letters.replace('A', 'g$lshzxetd'))
      this.#byKey = letters.includes('K')
      this.#byEvent = letters.includes('E')
      service.changes.reconsider()
    })
  }

  get active(): boolean {
    return this.#byKey || this.#byEvent
  }

  /** Whether such events are told. */
  wants(eventClass: string): boolean {
    return this.active && this.#classes.has(eventClass)
  }

  changed(keyspace: Keyspace, key: string, event: string, eventClass: EventClass): void {
    if (!this.#classes.has(eventClass)) return
    const { channels } = this.#service
    const sees = (client: Client): boolean => client.sees(key)
    if (this.#byKey) channels.tell('channel', `__keyspace@${keyspace.index}__:${key}`, event, sees)
    if (this.#byEvent) channels.tell('channel', `__keyevent@${keyspace.index}__:${event}`, key, sees)
  }

  cleared(): void {}
}
