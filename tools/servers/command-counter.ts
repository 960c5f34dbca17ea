/** Counts the commands in what clients send: the Redis protocol, and Memcached's text protocol. */

/** Counts of all connections together. */
export class CommandCounter {
  private readonly seen = new Map<string, number>()

  /** What to give the bytes of one connection to, in their order. */
  stream(): (bytes: Buffer) => void {
    let waiting = ''
    return (bytes) => {
      waiting += bytes.toString('latin1')
      for (let next = nextCommand(waiting); next !== undefined; next = nextCommand(waiting)) {
        waiting = waiting.slice(next.end)
        this.seen.set(next.name, (this.seen.get(next.name) ?? 0) + 1)
      }
    }
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.seen)
  }

  forget(): void {
    this.seen.clear()
  }
}

interface Command {
  readonly name: string
  readonly end: number
}

/** The command that `text` begins with, once it is whole. */
function nextCommand(text: string): Command | undefined {
  const lineEnd = text.indexOf('\r\n')
  if (lineEnd === -1) return undefined
  return text[0] === '*' ? respCommand(text, lineEnd) : textCommand(text, lineEnd)
}

function respCommand(text: string, lineEnd: number): Command | undefined {
  let end = lineEnd + 2
  let name = ''
  for (let word = 0; word < Number(text.slice(1, lineEnd)); word++) {
    const lengthEnd = text.indexOf('\r\n', end)
    if (lengthEnd === -1) return undefined
    const start = lengthEnd + 2
    const wordEnd = start + Number(text.slice(end + 1, lengthEnd))
    if (text.length < wordEnd + 2) return undefined
    if (word === 0) name = text.slice(start, wordEnd).toUpperCase()
    end = wordEnd + 2
  }
  return { name, end }
}

const BLOCK_LENGTH_AT: Readonly<Record<string, number>> = {
  ...{ SET: 4, ADD: 4, REPLACE: 4, APPEND: 4, PREPEND: 4, CAS: 4 },
  MS: 2,
}

/** Commands that store carry a block of bytes, whose length is in their line. */
function textCommand(text: string, lineEnd: number): Command | undefined {
  const words = text.slice(0, lineEnd).split(' ')
  const name = words[0]!.toUpperCase()
  const lengthAt = BLOCK_LENGTH_AT[name]
  const block = lengthAt === undefined ? 0 : Number(words[lengthAt]) + 2
  const end = lineEnd + 2 + block
  return text.length < end ? undefined : { name, end }
}
