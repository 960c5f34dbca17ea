/** Answers as plain values. */
import { ReplyFailure, type ServiceReply } from './reply-reader.ts'

/** An answer that is a text, or a number, as text. */
export function textOf(reply: ServiceReply | undefined): string {
  return typeof reply === 'string' ? reply : JSON.stringify(plainOf(reply ?? null))
}

/** The fields of a map whose keys are texts. */
export function fieldsOf(reply: ServiceReply): Readonly<Record<string, ServiceReply>> {
  return reply instanceof Map ? Object.fromEntries([...reply].map(([name, value]) => [textOf(name), value])) : {}
}

/** As `fieldsOf`, with names as JavaScript has them: `created_at_ms` is `createdAtMs`. */
export function namedFieldsOf(reply: ServiceReply): Readonly<Record<string, ServiceReply>> {
  const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(fieldsOf(reply)).map(([name, value]) => [camel(name), value]))
}

/** An answer as JSON has it: maps are objects, bytes are text, errors are `{ error }`. */
export function plainOf(reply: ServiceReply): unknown {
  if (reply instanceof ReplyFailure) return { error: reply.text }
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString()
  if (reply instanceof Map) return Object.fromEntries([...reply].map(([name, value]) => [textOf(name), plainOf(value)]))
  if (Array.isArray(reply)) return reply.map(plainOf)
  return typeof reply === 'bigint' ? String(reply) : reply
}
