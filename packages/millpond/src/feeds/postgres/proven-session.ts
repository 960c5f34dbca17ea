/** What a session answers from its visibility alone, whether the log comes from a slot of its own or from a feeder. */
import { SessionClosed } from '../epoch-end.ts'
import type { ParsedPosition } from './position.ts'
import type { SessionFacts } from './session.ts'
import type { Visibility } from './visibility.ts'

export abstract class ProvenSession {
  abstract readonly facts: SessionFacts
  /** Set when the session is whole; before that nothing is proven. */
  protected visibility: Visibility | undefined

  get freshAsOfMs(): number {
    return this.visibility?.watermark.freshAsOfMs ?? Number.NEGATIVE_INFINITY
  }

  get position(): ParsedPosition | undefined {
    const { server } = this.facts
    if (!server || !this.visibility || this.freshAsOfMs === Number.NEGATIVE_INFINITY) return undefined
    return { systemId: server.systemId, timeline: server.timeline, lsn: this.visibility.watermark.position }
  }

  reached({ lsn }: ParsedPosition): Promise<boolean> {
    if (!this.visibility) return Promise.resolve(false)
    const reached = this.visibility.reached(lsn)
    this.ping()
    return reached
  }

  async now(): Promise<ParsedPosition> {
    if (!this.visibility || !this.position) throw new SessionClosed()
    return { ...this.position, lsn: await this.visibility.present() }
  }

  unsettledTags(): (readonly string[])[] {
    return this.visibility?.unsettled.tags() ?? []
  }

  settled(): Promise<void> {
    return this.visibility?.unsettled.settled() ?? Promise.resolve()
  }

  /** Asks whoever tells of commits to say how far they are. */
  protected abstract ping(): void
}
