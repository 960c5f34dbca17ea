/** The terminal, drawn over again and again until somebody ends it: what `millpond top` and `millpond mesh watch` share. */

export class Screen {
  /** Aborted by q, Ctrl-C or a signal. */
  readonly signal: AbortSignal
  /** Whether lines can be drawn over. */
  readonly isDrawn: boolean
  readonly #controller = new AbortController()
  readonly #isRead: boolean

  /** @param mayDraw whether it is to be drawn on where that can be done */
  constructor(mayDraw: boolean) {
    const { stdin, stdout } = process
    this.signal = this.#controller.signal
    this.isDrawn = mayDraw && stdout.isTTY === true && process.env.TERM !== 'dumb'
    for (const name of SIGNALS) process.on(name, this.#stop)
    this.#isRead = stdin.isTTY === true && stdout.isTTY === true
    // Ctrl-C is a key like others while the terminal is read raw.
    if (this.#isRead) stdin.setRawMode(true).on('data', this.#pressed).resume()
    if (this.isDrawn) stdout.write(ENTER)
  }

  /** Each line over the one that was there. What does not fit is cut off, so that the screen does not move. */
  draw(lines: readonly string[]): void {
    // A terminal without a size says 0.
    const rows = process.stdout.rows || 24
    const columns = process.stdout.columns || 80
    const shown = [...lines.slice(0, rows - 2), '', 'q ends'].map((line) => `${line.slice(0, columns)}\x1b[K`)
    process.stdout.write(`\x1b[H${shown.join('\r\n')}\x1b[J`)
  }

  /** Leaves the terminal as it was. */
  close(): void {
    for (const name of SIGNALS) process.off(name, this.#stop)
    if (this.#isRead) process.stdin.setRawMode(false).off('data', this.#pressed).pause()
    if (this.isDrawn) process.stdout.write(LEAVE)
  }

  readonly #stop = (): void => this.#controller.abort()

  readonly #pressed = (keys: Buffer): void => {
    if (ENDING_KEYS.some((key) => keys.includes(key))) this.#stop()
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
/** q, Ctrl-C, Ctrl-D. */
const ENDING_KEYS = ['q', 'Q', '\u0003', '\u0004']
/** The other screen, without a cursor; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J'
const LEAVE = '\x1b[?25h\x1b[?1049l'
