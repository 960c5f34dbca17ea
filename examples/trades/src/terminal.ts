/** What the story looks like in a terminal, and plainly where there is none: colours, bars, a progress bar. */
import { styleText } from 'node:util'

type Colour = Parameters<typeof styleText>[0]

export class Terminal {
  readonly #out: NodeJS.WritableStream
  readonly #isTerminal: boolean
  readonly #hasColour: boolean
  #quarters = 0

  constructor(out: NodeJS.WriteStream, env: NodeJS.ProcessEnv) {
    this.#out = out
    this.#isTerminal = out.isTTY === true && env.TERM !== 'dumb'
    this.#hasColour = this.#isTerminal && !env.NO_COLOR
  }

  print(...lines: readonly string[]): void {
    for (const line of lines) this.#out.write(`${line}\n`)
  }

  paint(colour: Colour, text: string): string {
    return this.#hasColour ? styleText(colour, text, { validateStream: false }) : text
  }

  /** Draws how far a long work is, over what was drawn before; without a terminal, each quarter. Ends its line at 1. */
  progress(label: string, share: number): void {
    const percent = `${Math.floor(100 * share)} %`
    if (this.#isTerminal) {
      const filled = this.paint('cyan', bar(share, 24).padEnd(24, '░'))
      this.#out.write(`\r${label} ${filled} ${percent}${share === 1 ? '\n' : ''}`)
      return
    }
    const quarters = Math.floor(4 * share)
    if (quarters > this.#quarters) this.#out.write(`${this.#quarters === 0 ? label : ''} ${percent}`)
    this.#quarters = quarters
    if (share === 1) this.print('')
  }
}

/** A bar of at most `width` characters, in eighths of a character; something is always to be seen. */
export function bar(share: number, width: number): string {
  const eighths = Math.max(1, Math.round(Math.min(share, 1) * width * 8))
  return '█'.repeat(eighths >> 3) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths & 7]
}

/** `4.13 ms`, `41.3 ms`, `413 ms`: three digits say enough. */
export function milliseconds(ms: number): string {
  const digits = ms < 9.995 ? 2 : ms < 99.95 ? 1 : 0
  return `${ms.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ms`
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
