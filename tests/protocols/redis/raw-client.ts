/** A connection that sends commands and hands back replies as they came, byte for byte, one string each. */
import net from 'node:net'

export class RawClient {
  readonly #socket: net.Socket
  #text = ''
  #wanted = 0
  #replies: string[] = []
  #done: ((replies: string[]) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  constructor(port: number) {
    this.#socket = net.connect({ port, host: '127.0.0.1' })
    this.#socket.setEncoding('latin1').on('data', (text: string) => this.#receive(text))
    this.#socket.on('error', (error) => this.#failed?.(error))
    this.#socket.on('close', () => this.#failed?.(new Error(`port ${port} closed the connection`)))
  }

  /** Sends commands in one write, and resolves with their replies. */
  send(commands: readonly (readonly string[])[]): Promise<string[]> {
    this.#wanted = commands.length
    this.#replies = []
    const answered = new Promise<string[]>((resolve, reject) => {
      this.#done = resolve
      this.#failed = reject
    })
    this.#socket.write(Buffer.from(commands.map(encode).join(''), 'latin1'))
    return answered
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#text += text
    let from = 0
    while (this.#replies.length < this.#wanted) {
      const end = endOf(this.#text, from)
      if (end < 0) break
      this.#replies.push(this.#text.slice(from, end))
      from = end
    }
    this.#text = this.#text.slice(from)
    if (this.#replies.length === this.#wanted) this.#done?.(this.#replies)
  }
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

/** Where the reply that begins at `from` ends; -1: it is not complete. */
function endOf(text: string, from: number): number {
  const line = text.indexOf('\r\n', from)
  if (line < 0) return -1
  const type = text[from]!
  const length = Number(text.slice(from + 1, line))
  if ('$=!'.includes(type) && length >= 0) {
    const end = line + 2 + length + 2
    return end <= text.length ? end : -1
  }
  let parts = 0
  if ('*~>'.includes(type)) parts = Math.max(length, 0)
  else if (type === '%') parts = length * 2
  let end = line + 2
  for (; parts > 0 && end >= 0; parts--) end = endOf(text, end)
  return end
}

/** The parts of a reply that is an aggregate; of another one, itself. */
export function partsOf(reply: string): string[] {
  if (!'*~%'.includes(reply[0]!)) return [reply]
  const parts: string[] = []
  for (let from = reply.indexOf('\r\n') + 2; from < reply.length; ) {
    const end = endOf(reply, from)
    parts.push(reply.slice(from, end))
    from = end
  }
  return parts
}
