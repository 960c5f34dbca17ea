import { StoreError } from '../../core/errors.ts'
import { isConnected, type NodeRedisReply, type Recognised } from './client.ts'
import { watchClient } from './client-events.ts'

/**
 * What the store and the bus need of a server, whatever client and topology is behind it. A command is a list of
 * texts, its name in small letters: iovalkey and ioredis look up by that name where it goes.
 */
export interface Connection {
  /** Whether keys are spread over several primaries. */
  readonly isCluster: boolean
  /** Whether a command would be sent at once, as far as the client knows. */
  readonly isReady: boolean
  /**
   * Sends a command to the server that has `key`, or to any.
   *
   * @throws StoreError with the client's or the server's error as its cause
   */
  send(args: string[], key?: string): Promise<unknown>
  /** Sends a command that only reads: to a replica, where the client is set up to read from them. */
  sendRead(args: string[], key?: string): Promise<unknown>
  /** Sends a command to each primary. Gives the answers of those that answer; rejects where none does. */
  sendToPrimaries(args: string[]): Promise<unknown[]>
  /** Calls `onDoubt` when a connection broke or came back, and when the servers changed. Returns what stops it. */
  watch(onDoubt: () => void): () => void
  /** Ends it, if it was opened here. */
  close(): Promise<void>
}

/**
 * A connection over a client that somebody else has made and will end.
 *
 * @param reason why there is no connection, where that is known: clients say only that there is none
 */
export function connectionOver(recognised: Recognised, reason?: () => unknown): Connection {
  const send = sender(recognised)
  const failed =
    ([command]: readonly string[]) =>
    (cause: unknown): never => {
      throw failedAt(command!, cause, reason?.())
    }
  return {
    isCluster: recognised.kind.endsWith('cluster'),
    get isReady() {
      return isReady(recognised)
    },
    send: (args, key) => send(args, key, false).catch(failed(args)),
    sendRead: (args, key) => send(args, key, true).catch(failed(args)),
    sendToPrimaries: (args) => toPrimaries(recognised, args).catch(failed(args)),
    watch: (onDoubt) => watchClient(recognised, onDoubt),
    close: async () => undefined,
  }
}

const AS_TEXT: NodeRedisReply = { typeMapping: {} }

type Send = (args: string[], key: string | undefined, isRead: boolean) => Promise<unknown>

function sender(recognised: Recognised): Send {
  const { kind, client } = recognised
  if (kind === 'io' || kind === 'io-cluster') return (args) => client.call(args[0]!, args.slice(1))
  if (kind === 'node-redis-cluster') return (args, key, isRead) => client.sendCommand(key, isRead, args, AS_TEXT)
  if (kind === 'node-redis-sentinel') return (args, _, isRead) => client.sendCommand(isRead, args, AS_TEXT)
  return (args) => client.sendCommand(args, AS_TEXT)
}

/** One of ioredis that connects with its first command says `wait`. */
function isReady(recognised: Recognised): boolean {
  const { status } = recognised.client as { status?: unknown }
  return status === 'wait' || isConnected(recognised)
}

/** A primary that does not answer is left out: what it has can not be read either, and its return is an event. */
async function toPrimaries(recognised: Recognised, args: string[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(primariesOf(recognised).map((send) => send(args, undefined, false)))
  const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = settled.find((one) => one.status === 'rejected')
  if (answers.length === 0 && failed !== undefined) throw failed.reason
  return answers
}

/** What sends to each primary. A cluster of ioredis that is not connected yet may know none; it keeps what it is given until then. */
function primariesOf(recognised: Recognised): Send[] {
  const { kind, client } = recognised
  if (kind === 'io-cluster' && client.status === 'ready')
    return client.nodes('master').map((node) => sender({ kind: 'io', client: node }))
  if (kind !== 'node-redis-cluster') return [sender(recognised)]
  return client.masters.map(
    (node) => async (args) => (await client.nodeClient(node as never)).sendCommand(args, AS_TEXT),
  )
}

/** Whatever fails, in the client or at the server, is a StoreError that says what was asked for, and the reason behind. */
export function failedAt(command: string, cause: unknown, reason?: unknown): StoreError {
  if (reason === undefined || reason === cause)
    return new StoreError(`${command}: ${textOf(cause)}`, { cause: bare(cause) })
  return new StoreError(`${command}: ${textOf(cause)} (${textOf(reason)})`, { cause: bare(reason) })
}

/** ioredis and iovalkey add the command that failed with its arguments: of AUTH the password, of a fill the value. */
function bare(cause: unknown): unknown {
  const { command, lastNodeError } = Object(cause) as { command?: { args?: unknown }; lastNodeError?: unknown }
  if (command !== undefined) command.args = []
  if (lastNodeError !== undefined) bare(lastNodeError)
  return cause
}

/** Of a cluster of ioredis, what one of its servers said. Errors of node-redis that have no text have a name. */
function textOf(error: unknown): string {
  const { lastNodeError = error } = Object(error) as { lastNodeError?: unknown }
  const { message, constructor: kind } = Object(lastNodeError) as Error
  const text = message || (message === '' ? kind.name : String(lastNodeError))
  return /^(?:MOVED|CROSSSLOT)/.test(text) ? `${text}; ${CLUSTER_ADVICE}` : text
}

const CLUSTER_ADVICE = 'this server is one of a cluster: write redis+cluster://, or pass a client of clusters'
