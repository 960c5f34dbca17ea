import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, test } from 'vitest'
import type { Order, Told } from './link-process.fixture.ts'

/** A process with a link over UDP multicast on loopback. */
class Process {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly ready: Promise<Told>

  constructor(mesh: string, name: string) {
    const script = new URL('./link-process.fixture.ts', import.meta.url).pathname
    const args = ['--conditions=@millpond/source', '--import', 'tsx', script, mesh, name]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#ended = once(this.#child, 'exit')
    this.ready = this.#answer()
  }

  async ask(order: Order): Promise<Told> {
    const answer = this.#answer()
    this.#child.send(order)
    return await answer
  }

  async #answer(): Promise<Told> {
    return await new Promise<Told>((resolve, reject) => {
      this.#child.once('message', (told) => resolve(told as Told))
      void this.#ended.then(() => reject(new Error('the process ended')))
    })
  }

  async end(how: 'leave' | 'kill'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    if (how === 'kill') this.#child.kill('SIGKILL')
    else this.#child.send({ do: 'leave' } satisfies Order)
    await this.#ended
  }
}

const running: Process[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.end('kill')))
})

function start(mesh: string, name: string): Process {
  const one = new Process(mesh, name)
  running.push(one)
  return one
}

/** Asks everybody until `done` of all they told. */
async function until(
  processes: readonly Process[],
  done: (told: readonly Told[]) => boolean,
): Promise<readonly Told[]> {
  for (const endMs = performance.now() + 15_000; ; ) {
    const told = await Promise.all(processes.map((one) => one.ask({ do: 'tell' })))
    if (done(told)) return told
    if (performance.now() > endMs) throw new Error(`not within 15 s: ${JSON.stringify(told)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const alive = (told: Told) => told.peers.filter(({ state }) => state === 'alive').length

test.each([2, 3, 5])(
  '%i processes: every message comes once; deaths, restarts and good-byes are seen',
  async (count) => {
    const mesh = `processes ${process.pid} ${count}`
    const processes = Array.from({ length: count }, (_, at) => start(mesh, `p${at}`))
    await Promise.all(processes.map(({ ready }) => ready))
    await until(processes, (told) => told.every((one) => alive(one) === count - 1))

    await Promise.all(processes.map((one) => one.ask({ do: 'send', count: 2000, bytes: 64 })))
    await Promise.all(processes.map((one) => one.ask({ do: 'send', count: 20, bytes: 60_000 })))
    const whole = (one: Told) => Object.values(one.got).filter((got) => got.once === 2020 && got.again === 0).length
    const told = await until(processes, (all) => all.every((one) => whole(one) === count - 1 && one.acknowledged))
    const [first] = told as [Told]

    await processes[0]!.end('kill')
    processes[0] = start(mesh, 'p0')
    await processes[0].ready
    const others = processes.slice(1)
    const isReplaced = (one: Told) => one.peers.find(({ id }) => id === first.id)?.state === 'dead'
    await until(others, (all) => all.every((one) => isReplaced(one) && alive(one) === count - 1))

    await processes[0].end('leave')
    await until(others, (all) => all.every((one) => one.peers.some(({ state }) => state === 'left')))
    if (count > 2) {
      await processes[1]!.end('kill')
      await until(others.slice(1), (all) => all.every((one) => alive(one) === count - 3))
    }
  },
  60_000,
)
