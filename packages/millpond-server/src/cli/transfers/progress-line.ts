/** One line that tells how far something is: drawn over on a terminal, now and then elsewhere. */

/** How far something is. */
export interface Shown {
  readonly done: number
  /** Below 0: nobody knows. */
  readonly total: number
  readonly bytes: number
}

const BAR = 30
const PLAIN_EVERY_MS = 5000

export class ProgressLine {
  readonly #mayShow: boolean
  readonly #isDrawn: boolean
  readonly #beganMs = performance.now()
  #toldMs = Number.NEGATIVE_INFINITY

  /** @param mayShow whether anybody wants to see it */
  constructor(mayShow: boolean) {
    this.#mayShow = mayShow
    this.#isDrawn = process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  }

  show(shown: Shown): void {
    if (!this.#mayShow) return
    const nowMs = performance.now()
    if (this.#isDrawn) process.stderr.write(`\r${progressText(shown, nowMs - this.#beganMs)}\x1b[K`)
    else if (nowMs - this.#toldMs >= PLAIN_EVERY_MS) {
      this.#toldMs = nowMs
      process.stderr.write(`${progressText(shown, nowMs - this.#beganMs)}\n`)
    }
  }

  end(): void {
    if (this.#mayShow && this.#isDrawn) process.stderr.write('\n')
  }
}

export function progressText({ done, total }: Shown, tookMs: number): string {
  const rate = tookMs > 0 ? Math.round((done * 1000) / tookMs) : 0
  const keys = `${done.toLocaleString('en')} keys, ${rate.toLocaleString('en')} a second`
  if (total <= 0) return keys
  const share = Math.min(1, done / total)
  const left = rate > 0 && share < 1 ? `, about ${Math.ceil((total - done) / rate)} s left` : ''
  const bar = '█'.repeat(Math.floor(share * BAR)).padEnd(BAR, '░')
  return `${bar} ${Math.floor(share * 100)} %  ${keys}${left}`
}
