import { afterAll, beforeAll, expect, test } from 'vitest'
import { difference, shortest } from '../../../../tests/protocols/redis/difference.ts'
import { Random } from '../../../../tests/protocols/redis/random.ts'
import { RawClient } from '../../../../tests/protocols/redis/raw-client.ts'
import { type MillpondServer, startMillpond } from '../../../../tools/servers/millpond.ts'

/** `MILLPOND_FUZZ=1000000` runs more; `MILLPOND_SEED` repeats a run. */
const COMMANDS = Number(process.env.MILLPOND_FUZZ ?? 10_000)
const SEED = Number(process.env.MILLPOND_SEED ?? Math.floor(Math.random() * 2 ** 31))
const ROUND = 2000

/** Several connections as one: each batch of commands goes to one of them, by chance. What sets a connection up goes to all. */
class SpreadClient extends RawClient {
  readonly #random: Random
  readonly #others: readonly RawClient[]
  #database = '0'

  constructor(port: number, connections: number, random: Random) {
    super(port)
    this.#random = random
    this.#others = Array.from({ length: connections - 1 }, () => new RawClient(port))
  }

  override async send(commands: readonly (readonly string[])[]): Promise<string[]> {
    const setsUp = commands[0]![0] === 'HELLO'
    if (setsUp) for (const other of this.#others) await other.send(commands.slice(0, 3))
    const all = [['SELECT', this.#database], ...commands]
    const other = this.#others[this.#random.below(this.#others.length + 1)]
    const replies = await (other === undefined || setsUp ? super.send(all) : other.send(all))
    for (const [at, words] of all.entries()) {
      if (words[0] === 'SELECT' && replies[at] === '+OK\r\n') this.#database = words[1]!
    }
    return replies.slice(1)
  }

  override close(): void {
    super.close()
    for (const other of this.#others) other.close()
  }
}

let one: MillpondServer
let three: MillpondServer

beforeAll(async () => {
  ;[one, three] = await Promise.all([startMillpond(), startMillpond(['--threads', '3'])])
}, 120_000)

afterAll(async () => {
  await one?.destroy()
  await three?.destroy()
})

test(`${COMMANDS} random commands over connections of three threads: the replies of one (seed ${SEED})`, {
  timeout: 300_000,
}, async () => {
  const random = new Random(SEED)
  const clients = [new SpreadClient(three.port, 8, random), new RawClient(one.port)] as const
  for (let done = 0; done < COMMANDS; done += ROUND) {
    const protocol = (done / ROUND) % 2 === 0 ? 2 : 3
    const found = await difference(random, ROUND, protocol, ...clients)
    expect(found && (await shortest(found, protocol, ...clients))).toBe(undefined)
  }
  for (const client of clients) client.close()
})
