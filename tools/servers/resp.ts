/** A small client of the Redis protocol (RESP2), with which the launchers ask and arrange their servers. */
import net from 'node:net'
import tls from 'node:tls'

/** What a command answers: errors are thrown. */
export type RespReply = string | number | null | RespReply[]

/** Where a server is, and as whom to speak. */
export interface RespAddress {
  readonly port: number
  readonly tls?: tls.ConnectionOptions | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** Default 3000 ms. */
  readonly timeoutMs?: number | undefined
}

/** Sends one command on a connection of its own. Throws the server's error, or that of the connection. */
export async function ask(address: RespAddress, ...command: readonly (string | number)[]): Promise<RespReply> {
  const { user = 'default', password } = address
  const commands = password === undefined ? [command] : [['AUTH', user, password], command]
  const replies = await exchange(address, commands)
  return replies.at(-1)!
}

/** The answer to `command` as text. */
export async function askText(address: RespAddress, ...command: readonly (string | number)[]): Promise<string> {
  return String(await ask(address, ...command))
}

function exchange(address: RespAddress, commands: readonly (readonly (string | number)[])[]): Promise<RespReply[]> {
  return new Promise((resolve, reject) => {
    const { port } = address
    const socket = address.tls
      ? tls.connect({ host: '127.0.0.1', port, ...address.tls })
      : net.connect({ host: '127.0.0.1', port })
    const replies: RespReply[] = []
    let text = ''
    const fail = (error: Error) => {
      reject(error)
      socket.destroy()
    }
    socket.setTimeout(address.timeoutMs ?? 3000, () => fail(new Error(`no answer from port ${port}`)))
    socket.on('error', fail)
    socket.on('close', () => reject(new Error(`port ${port} closed the connection`)))
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more
      for (let part = parse(text, 0); part !== undefined; part = parse(text, 0)) {
        if (part.reply instanceof Error) return fail(part.reply)
        text = text.slice(part.end)
        replies.push(part.reply)
        if (replies.length < commands.length) continue
        socket.end()
        return resolve(replies)
      }
    })
    socket.write(commands.map(encode).join(''))
  })
}

function encode(command: readonly (string | number)[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`).join('')}`
}

interface Parsed {
  readonly reply: RespReply | Error
  readonly end: number
}

/** One whole reply at `start`, or `undefined` when more has to come. */
function parse(text: string, start: number): Parsed | undefined {
  const lineEnd = text.indexOf('\r\n', start)
  if (lineEnd === -1) return undefined
  const line = text.slice(start + 1, lineEnd)
  const end = lineEnd + 2
  switch (text[start]) {
    case '-':
      return { reply: new Error(line), end }
    case ':':
      return { reply: Number(line), end }
    case '$':
      return parseBulk(text, end, Number(line))
    case '*':
      return parseArray(text, end, Number(line))
    default:
      return { reply: line, end }
  }
}

function parseBulk(text: string, start: number, length: number): Parsed | undefined {
  if (length === -1) return { reply: null, end: start }
  const end = start + length + 2
  return text.length < end ? undefined : { reply: text.slice(start, end - 2), end }
}

function parseArray(text: string, start: number, length: number): Parsed | undefined {
  const replies: RespReply[] = []
  let end = start
  for (let index = 0; index < length; index++) {
    const part = parse(text, end)
    if (part === undefined) return undefined
    if (part.reply instanceof Error) return part
    replies.push(part.reply)
    end = part.end
  }
  return { reply: replies, end }
}
