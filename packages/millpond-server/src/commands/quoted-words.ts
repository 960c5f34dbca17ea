/** Words on one line, quoted where they must be: inline commands, redis.conf, the file of the ACL, MONITOR. */

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

/**
 * Divides a line into words at spaces. Between double quotes `\n`, `\x41` and so on are escapes, between single quotes only
 * `\'`. `undefined`: a quote is not closed, or something other than a space follows one that is.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = []
  let at = 0
  for (;;) {
    while (at < line.length && isSpace(line, at)) at++
    if (at >= line.length) return words
    const word = readWord(line, at)
    if (word === undefined) return undefined
    words.push(word.text)
    at = word.end
  }
}

function readWord(line: string, at: number): { text: string; end: number } | undefined {
  let text = ''
  while (at < line.length && !isSpace(line, at)) {
    const quote = line[at]
    if (quote !== '"' && quote !== "'") {
      text += line[at++]
      continue
    }
    const quoted = readQuoted(line, at + 1, quote)
    if (quoted === undefined || (quoted.end < line.length && !isSpace(line, quoted.end))) return undefined
    return { text: text + quoted.text, end: quoted.end }
  }
  return { text, end: at }
}

function readQuoted(line: string, at: number, quote: string): { text: string; end: number } | undefined {
  let text = ''
  for (; at < line.length && line[at] !== quote; at++) {
    if (line[at] !== '\\') text += line[at]
    else if (quote === "'") text += line[at + 1] === "'" ? line[++at] : '\\'
    else {
      const hex = /^x([\da-f]{2})/i.exec(line.slice(at + 1, at + 4))
      if (hex) text += String.fromCharCode(Number.parseInt(hex[1]!, 16))
      else if (at + 1 < line.length) text += ESCAPES[line[at + 1]!] ?? line[at + 1]
      at += hex ? 3 : 1
    }
  }
  return at < line.length ? { text, end: at + 1 } : undefined
}

function isSpace(line: string, at: number): boolean {
  const code = line.charCodeAt(at)
  return code === 32 || (code >= 9 && code <= 13) || code === 0
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\x07': '\\a' }

/** A byte string in double quotes, so that `splitWords` reads it back. */
export function quoteWord(text: string): string {
  const escaped = text.replaceAll(/[\\"]|[^ -~]/g, (byte) =>
    byte === '\\' || byte === '"'
      ? `\\${byte}`
      : (NAMED[byte] ?? `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`),
  )
  return `"${escaped}"`
}
