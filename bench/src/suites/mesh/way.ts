/** A way to tell other processes of a change: what the propagation rows compare. */
export interface Way {
  /** Tells everyone that `key` has the value `text`. */
  set(key: string, text: string): void
  /** Called with each value that another process set. One function at a time. */
  onValue: ((text: string) => void) | undefined
  close(): Promise<void>
}

/** Opens this process's end of a way. */
export type OpenWay<O> = (options: O) => Promise<Way>
