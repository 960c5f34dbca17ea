/** Commands whose work is done by the system in its own time: their client waits, and others are served. */
import { ReplyError } from '../engine/errors.ts'
import type { Reply } from '../engine/reply.ts'
import type { Client } from './client.ts'

/** Answers when the work is done: with what `write` makes of its result, or why it failed. The command returns without an answer. */
export function answerLater<Result>(
  client: Client,
  work: Promise<Result>,
  write: (reply: Reply, result: Result) => void,
): void {
  const { service } = client
  const { entry, args, reply } = service.running!
  const waiting = service.waiters.hold(client, entry, args.keep(), reply, [])
  const end = (answer: ReplyError | ((to: Reply) => void)): void => {
    if (client.waiting === waiting) service.waiters.end(client, answer)
  }
  work.then(
    (result) => end((to) => write(to, result)),
    (error: unknown) => {
      if (!(error instanceof ReplyError)) service.onFault(error)
      end(error instanceof ReplyError ? error : new ReplyError((error as Error).message))
    },
  )
}
