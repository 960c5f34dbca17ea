/** The market in the terminal: a column for each process with what it holds, in the colour of who has set it. */
import { styleText } from 'node:util'
import { GOODS, type Price } from './goods.ts'

const COLOURS = ['cyan', 'yellow', 'magenta'] as const
const WIDTH = 12
/** A price that came just now is marked for so long. */
const NEW_MS = 400

interface Column {
  isUp: boolean
  readonly prices: Map<string, Price & { readonly atMs: number }>
}

export class Picture {
  readonly #out: NodeJS.WriteStream
  readonly #isTerminal: boolean
  readonly #hasColour: boolean
  readonly #columns: Map<string, Column>
  #caption = ''
  #drawn = 0

  constructor(stalls: readonly string[], out: NodeJS.WriteStream, env: NodeJS.ProcessEnv) {
    this.#out = out
    this.#isTerminal = out.isTTY === true && env.TERM !== 'dumb'
    this.#hasColour = this.#isTerminal && !env.NO_COLOR
    this.#columns = new Map(stalls.map((stall) => [stall, { isUp: false, prices: new Map() }]))
  }

  /** What is going on now: under the table, or a line of its own. */
  say(caption: string): void {
    this.#caption = caption
    if (this.#isTerminal) this.draw()
    else this.#out.write(`${caption}\n`)
  }

  up(stall: string, held: Readonly<Record<string, Price>>): void {
    const column = this.#columns.get(stall)!
    column.isUp = true
    for (const [good, price] of Object.entries(held)) column.prices.set(good, { ...price, atMs: 0 })
    this.draw()
  }

  down(stall: string): void {
    const column = this.#columns.get(stall)!
    column.isUp = false
    column.prices.clear()
    this.draw()
  }

  price(stall: string, good: string, price: Price): void {
    const { isUp, prices } = this.#columns.get(stall)!
    prices.set(good, { ...price, atMs: performance.now() })
    if (!this.#isTerminal && isUp) {
      const who = price.by === stall ? 'sets' : 'sees'
      this.#out.write(`  ${stall} ${who} ${good} ${cents(price)}${price.by === stall ? '' : ` of ${price.by}`}\n`)
    }
    this.draw()
  }

  /** Over what was drawn before. Nothing where there is no terminal. */
  draw(): void {
    if (!this.#isTerminal) return
    const lines = ['', this.#head(), ...GOODS.map((good) => this.#row(good)), '', `  ${this.#caption}`]
    const back = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : ''
    this.#out.write(back + lines.map((line) => `${line}\x1b[K\n`).join(''))
    this.#drawn = lines.length
  }

  #head(): string {
    const names = [...this.#columns].map(([stall, { isUp }]) =>
      this.#paint(stall, (isUp ? stall : `${stall} is down`).padStart(WIDTH)),
    )
    return `  ${''.padEnd(8)}${names.join('')}`
  }

  #row(good: string): string {
    const nowMs = performance.now()
    const cells = [...this.#columns.values()].map(({ prices }) => {
      const price = prices.get(good)
      if (!price) return '·'.padStart(WIDTH)
      const mark = nowMs - price.atMs < NEW_MS ? '◂' : ' '
      return this.#paint(price.by, `${cents(price)}${mark}`.padStart(WIDTH))
    })
    return `  ${good.padEnd(8)}${cells.join('')}`
  }

  #paint(stall: string, text: string): string {
    const at = [...this.#columns.keys()].indexOf(stall)
    return this.#hasColour ? styleText(COLOURS[at % COLOURS.length]!, text, { validateStream: false }) : text
  }
}

function cents(price: Price): string {
  return (price.cents / 100).toFixed(2)
}
