/** Commands as bytes: lists of words, as RESP writes them. */

/** A word of a command. Texts travel as UTF-8, numbers in decimal. */
export type CommandWord = string | number | bigint | Uint8Array

/** Appends a command to what is to be written: texts grow together, bytes stay pieces of their own. */
export function encodeCommand(words: readonly CommandWord[], out: (string | Uint8Array)[]): void {
  let text = `*${words.length}\r\n`
  for (const word of words) {
    if (word instanceof Uint8Array) {
      append(out, `${text}$${word.byteLength}\r\n`)
      out.push(word)
      text = '\r\n'
    } else {
      const shown = typeof word === 'string' ? word : String(word)
      text += `$${Buffer.byteLength(shown)}\r\n${shown}\r\n`
    }
  }
  append(out, text)
}

function append(out: (string | Uint8Array)[], text: string): void {
  const last = out.at(-1)
  if (typeof last === 'string') out[out.length - 1] = last + text
  else out.push(text)
}
