/** Topics in the words of RESP. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Topic, TopicNews } from './topic.ts'

/** What READ answers. */
export function writeNews(reply: Reply, { page }: Topic, { messages, next, gap }: TopicNews): void {
  reply.map(4)
  reply.bulk('page')
  reply.integer(page)
  reply.bulk('next')
  reply.integer(next)
  reply.bulk('gap')
  if (gap === undefined) reply.nil()
  else {
    reply.array(2)
    reply.integer(gap.last)
    reply.integer(gap.next)
  }
  reply.bulk('messages')
  reply.array(messages.length)
  for (const { number, message } of messages) {
    reply.array(2)
    reply.integer(number)
    reply.bulk(message)
  }
}

/** What a listener is sent of a message. */
export function pushMessage(reply: Reply, { name, page }: Topic, number: number, message: string): void {
  reply.push(5)
  reply.bulk('topic')
  reply.bulk(name)
  reply.integer(page)
  reply.integer(number)
  reply.bulk(message)
}

/** What a listener is sent where messages are missing. */
export function pushGap(reply: Reply, { name, page }: Topic, last: number, next: number): void {
  reply.push(5)
  reply.bulk('topic-gap')
  reply.bulk(name)
  reply.integer(page)
  reply.integer(last)
  reply.integer(next)
}

/** Where a reader goes on: two words, a page and the number that it wants next. 0: it does not know. */
export function placeOf(args: Arguments, at: number): { readonly page: number; readonly number: number } {
  const failure = (): ReplyError => new ReplyError('page and number are whole numbers, 0 where they are not known')
  const [page, number] = [args.integer(at, failure), args.integer(at + 1, failure)]
  if (page < 0 || number < 0) throw failure()
  return { page, number }
}
