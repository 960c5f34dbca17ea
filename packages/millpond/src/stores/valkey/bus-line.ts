/** Connections that listen: made from a client by its own `duplicate`, used once, and never reconnected by the client. */
import { OptionError } from '../../core/errors.ts'
import type { Line } from '../bus-keeper.ts'
import type { Recognised } from './client.ts'

/** What a connection is opened for. */
export interface Listening {
  readonly channels: readonly string[]
  /** A payload as the client gives it: bytes, or what the server says of tracked keys. */
  readonly hear: (channel: string, payload: unknown) => void
  readonly onDown: (reason: unknown) => void
  /** Aborted when nobody waits for it any more: clients go on trying otherwise. */
  readonly signal: AbortSignal
  /** Asks the server what it calls the connection, which needs a right of its own. */
  readonly named?: boolean
}

/** A connection that is subscribed. */
export interface SubscribedLine extends Line {
  /** What the server calls the connection, where that was asked for. */
  readonly id: number
  /** Sends a command beside the subscription, where the client can. What does not leave fails when the line is closed. */
  readonly send?: (args: string[]) => Promise<unknown>
}

/** The slice of iovalkey and ioredis that makes a connection and listens on it. */
export interface IoDuplicable {
  duplicate(override: object): IoListener
}

interface IoListener {
  on(event: string, listener: (...args: unknown[]) => void): unknown
  connect(): Promise<void>
  call(command: string, args: string[]): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  disconnect(): void
}

/** The slice of node-redis that makes a connection and listens on it: `createClient`, `createSentinel`. */
export interface NodeRedisDuplicable {
  readonly options?: { readonly socket?: object | undefined } | undefined
  duplicate(override: object): NodeRedisListener
}

interface NodeRedisListener {
  on(event: string, listener: (...args: unknown[]) => void): unknown
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (payload: Buffer) => void, bufferMode: true): Promise<void>
  destroy(): unknown
}

/** One server of a cluster, or the client itself. */
export type Single = Exclude<Recognised, { readonly kind: `${string}-cluster` }>

/**
 * Opens a connection that is subscribed to the channels. Resolves when the server has said so.
 *
 * @throws what the client throws when it cannot
 */
export function openLine(single: Single, listening: Listening): Promise<SubscribedLine> {
  if (single.kind === 'io') return openIo(single.client as unknown as IoDuplicable, listening)
  return openNodeRedis(single.client as unknown as NodeRedisDuplicable, listening, single.kind === 'node-redis')
}

/** @throws OptionError (`ERR_OPTION`) when the client cannot listen */
export function checkListens({ client }: Recognised): void {
  const { duplicate, subscribe } = client as unknown as Record<string, unknown>
  if (typeof duplicate === 'function' && typeof subscribe === 'function') return
  throw new OptionError('client', client, 'a pool does not subscribe: give the bus a client of createClient')
}

async function openIo(
  client: IoDuplicable,
  { channels, hear, onDown, signal, named = false }: Listening,
): Promise<SubscribedLine> {
  const connection = client.duplicate(IO_OPTIONS)
  signal.addEventListener('abort', () => connection.disconnect(), { once: true })
  connection.on('messageBuffer', (channel, payload) => hear(String(channel), payload))
  const failure = lastError(connection)
  try {
    await connection.connect()
    const id = named ? Number(await connection.call('client', ['id'])) : 0
    await connection.subscribe(...channels)
    // Not before: what fails until here is thrown.
    connection.on('close', () => onDown(failure() ?? new Error('the connection was closed')))
    return { id, close: () => connection.disconnect() }
  } catch (error) {
    connection.disconnect()
    throw error
  }
}

/** It speaks RESP2, where messages about tracked keys come as messages of a channel. */
const IO_OPTIONS = {
  lazyConnect: true,
  retryStrategy: null,
  autoResubscribe: false,
  enableOfflineQueue: true,
  readOnly: false,
  keyPrefix: '',
  protocol: 2,
  replyMapping: undefined,
}

async function openNodeRedis(
  client: NodeRedisDuplicable,
  { channels, hear, onDown, signal, named = false }: Listening,
  isOne: boolean,
): Promise<SubscribedLine> {
  const connection = client.duplicate(isOne ? nodeRedisOptions(client) : {})
  signal.addEventListener('abort', () => void connection.destroy(), { once: true })
  let isOpen = false
  const failure = lastError(connection)
  for (const event of DOWN) {
    connection.on(event, () => isOpen && onDown(failure() ?? new Error('the connection was closed')))
  }
  try {
    await connection.connect()
    const id = named ? Number(await (connection as unknown as Commands).sendCommand(['CLIENT', 'ID'])) : 0
    for (const channel of channels) await connection.subscribe(channel, (payload) => hear(channel, payload), true)
    isOpen = true
    const sentinel = connection as unknown as SentinelCommands
    return {
      id,
      ...(isOne ? {} : { send: (args: string[]) => sentinel.sendCommand(false, args) }),
      close() {
        isOpen = false
        connection.destroy()
      },
    }
  } catch (error) {
    connection.destroy()
    throw error
  }
}

interface Commands {
  sendCommand(args: string[]): Promise<unknown>
}

interface SentinelCommands {
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>
}

/** A single client is not to reconnect. One that asks Sentinels finds another primary, and says that it has. */
const DOWN = ['error', 'terminated', 'reconnecting', 'end', 'topology-change']

function nodeRedisOptions({ options }: NodeRedisDuplicable): object {
  return {
    socket: { ...options?.socket, reconnectStrategy: false },
    RESP: 2,
    clientSideCache: undefined,
    emitInvalidate: undefined,
    maintNotifications: 'disabled',
    disableOfflineQueue: false,
  }
}

/** Clients say why in an event, which ends the process when nobody listens. */
function lastError(connection: Pick<IoListener, 'on'>): () => unknown {
  let last: unknown
  connection.on('error', (error) => {
    last = error
  })
  return () => last
}
