/**
 * Where a test stops a writer: at each named point of a change the trap is sprung, with the locks held as they are.
 * Nobody sets it but tests, and a trap that is not set costs one look at a field.
 */
export const trap: { at: ((point: TrapPoint) => void) | undefined } = { at: undefined }

/** The points, in the order of one life: a set that allocates, publishes, replaces, frees; a move; a growth. */
export const TRAP_POINTS = [
  'allocate',
  'allocated',
  'overwrite',
  'write',
  'insert',
  'publish',
  'replace',
  'remove',
  'free',
  'new-page',
  'move',
  'moved',
  'drain',
  'take-run',
  'free-run',
  'grow',
  'shrink',
  'switch',
  'grown',
] as const
export type TrapPoint = (typeof TRAP_POINTS)[number]
