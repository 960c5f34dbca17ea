/**
 * Which of several processes feeds the others: the one that holds an advisory lock of the database, on an ordinary
 * connection. PostgreSQL gives it up when that connection ends, however it ends. Two who both believed to hold it would do no
 * harm: what each tells is true by itself.
 */
import type { Asking } from '../connect.ts'

export class FeederLock {
  private readonly control: Asking
  private readonly name: string
  private isHeld = false

  constructor(control: Asking, name: string) {
    this.control = control
    this.name = name
  }

  /** Whether this process holds it now. */
  async tryTake(): Promise<boolean> {
    if (this.isHeld) return true
    const { rows } = await this.control.query({ name: 'millpond_feeder_lock', text: TAKE_SQL, values: [this.name] })
    this.isHeld = (rows[0] as { taken: string }).taken === 'true'
    return this.isHeld
  }
}

const TAKE_SQL = "SELECT pg_try_advisory_lock(hashtextextended('millpond feeder ' || $1, 0))::text AS taken"
