/** Errors of the server by what they mean for a feed. */
import { FeedError } from '../../core/errors.ts'

/** ChangeStreamHistoryLost, ChangeStreamFatalError, InvalidResumeToken. */
const HISTORY_LOST = [286, 280, 260]
/** Unauthorized, AuthenticationFailed. */
const FORBIDDEN = [13, 18]
/** The stage $changeStream is only supported on replica sets. */
const NO_REPLICA_SET = 40_573

interface ServerError {
  readonly code?: number
  readonly message?: string
  hasErrorLabel?(label: string): boolean
}

/** Whether a stream cannot go on from where it was: what it has missed will never be told. */
export function isHistoryLost(error: unknown): boolean {
  const { code, hasErrorLabel } = error as ServerError
  const isFinal =
    typeof hasErrorLabel === 'function' && (error as ServerError).hasErrorLabel!('NonResumableChangeStreamError')
  return isFinal || HISTORY_LOST.includes(code ?? 0)
}

/** What only a person can change. */
export function refusal(cause: unknown): FeedError | undefined {
  if (cause instanceof FeedError) return cause
  const { code, message } = cause as ServerError
  if (FORBIDDEN.includes(code ?? 0))
    return new FeedError(
      `the server refuses the change stream: ${message}; the role \`read\` on the database, or \`readAnyDatabase\` for several, allows it`,
      { cause },
    )
  return code === NO_REPLICA_SET ? new FeedError(`the server has no change streams: ${message}`, { cause }) : undefined
}
