/**
 * The port of a journal: where write-behind keeps what it has acknowledged until the source has it. `fileJournal`
 * (`millpond/journal`) keeps it in a file.
 */
export interface Journal {
  /** What an earlier life of the process acknowledged and did not deliver, oldest first. */
  open(): Promise<readonly JournalRecord[]>
  /** Resolves when the record would survive the loss of power, in the order of the calls. Concurrent appends may share one flush to disk. */
  append(record: JournalRecord): Promise<void>
  /** These sequence numbers were delivered and need not be kept. */
  settle(sequences: readonly number[]): Promise<void>
  /** Waits for what is being written, then lets go of the place. */
  close(): Promise<void>
}

/** One acknowledged write. */
export interface JournalRecord {
  readonly sequence: number
  readonly key: string
  /** The change: its id and, encoded by the source's codec, its value. */
  readonly value: string
}
