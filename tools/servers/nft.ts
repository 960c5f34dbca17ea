/**
 * A small network inside this machine: hosts that are network namespaces, on a bridge in one of its own, so that the machine's own
 * network is not touched. nftables loses what passes, and cuts hosts off from each other. Needs Linux, root, `ip` and `nft`.
 */
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { onPath } from './find.ts'

/** A host: what is started in it sees this network only, as `eth0`. */
export interface LanHost {
  readonly name: string
  readonly address: string
  /** Starts a program in it. */
  spawn(command: string, args: readonly string[], stdio: StdioOptions): ChildProcess
}

/** Why there can be no such network here; `undefined` where there can. */
export function whyNoLan(): string | undefined {
  if (process.platform !== 'linux') return `network namespaces are of Linux, and this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'network namespaces take root'
  const missing = ['ip', 'nft'].filter((command) => onPath([command]) === undefined)
  if (missing.length > 0) return `there is no ${missing.join(' and no ')} (packages iproute2 and nftables)`
  const trial = `${PREFIX}${process.pid}-try`
  try {
    run('ip', ['netns', 'add', trial])
    run('ip', ['netns', 'exec', trial, 'nft', 'add table inet lan'])
    return undefined
  } catch (error) {
    return `the kernel refuses: ${(error as Error).message.trim().split('\n').at(-1)}`
  } finally {
    removeNamespace(trial)
  }
}

/** Makes a network of so many hosts, 10.77.0.1 and up, and removes what runs that were killed have left. Close it. */
export function openLan(count: number): Lan {
  removeLeftOvers()
  return new Lan(count)
}

export class Lan {
  readonly hosts: readonly LanHost[]
  readonly #switch = `${PREFIX}${process.pid}-sw`
  readonly #names: readonly string[]

  constructor(count: number) {
    this.#names = Array.from({ length: count }, (_, at) => `${PREFIX}${process.pid}-${at}`)
    try {
      this.#makeSwitch()
      this.hosts = this.#names.map((name, at) => this.#makeHost(name, at))
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Every host loses so many percent of all that comes to it, from now on. */
  lose(percent: number): void {
    this.heal()
    for (const name of this.#names) rule(name, `numgen random mod 1000 < ${percent * 10} counter drop`)
  }

  /** No host hears a group. */
  withoutMulticast(): void {
    this.heal()
    for (const name of this.#names) rule(name, 'ip daddr 224.0.0.0/4 counter drop')
  }

  /** Cuts the hosts with these numbers off from the others, in both directions. */
  cut(...apart: readonly number[]): void {
    this.heal()
    for (const [at, name] of this.#names.entries()) {
      const others = this.hosts.filter((_, other) => apart.includes(other) !== apart.includes(at))
      rule(name, `ip saddr { ${others.map(({ address }) => address).join(', ')} } counter drop`)
    }
  }

  /** Nothing is lost any more. */
  heal(): void {
    for (const name of this.#names) run('ip', ['netns', 'exec', name, 'nft', 'flush chain inet lan input'])
  }

  /** Packets that the rules in force have dropped so far. */
  get dropped(): number {
    const lists = this.#names.map((name) => run('ip', ['netns', 'exec', name, 'nft', 'list chain inet lan input']))
    const counts = lists.flatMap((list) =>
      [...list.matchAll(/counter packets (\d+)/g)].map((match) => Number(match[1])),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Has every host know this name as the addresses of all, by a file of hosts. For programs that are started from now on. */
  nameAll(hostname: string): void {
    const lines = ['127.0.0.1 localhost', ...this.hosts.map(({ address }) => `${address} ${hostname}`)]
    for (const name of this.#names) {
      mkdirSync(`${FILES}/${name}`, { recursive: true })
      writeFileSync(`${FILES}/${name}/hosts`, `${lines.join('\n')}\n`)
    }
  }

  /** Removes everything. What still runs in a host loses its network. */
  close(): void {
    for (const name of [...this.#names, this.#switch]) removeNamespace(name)
    if (existsSync(FILES) && readdirSync(FILES).length === 0) rmdirSync(FILES)
  }

  #makeSwitch(): void {
    run('ip', ['netns', 'add', this.#switch])
    // A bridge that snoops forgets the members of a group where no router asks for them.
    ip(this.#switch, 'link add br0 type bridge mcast_snooping 0')
    ip(this.#switch, 'link set br0 up')
  }

  #makeHost(name: string, at: number): LanHost {
    const address = `10.77.0.${at + 1}`
    run('ip', ['netns', 'add', name])
    ip(this.#switch, `link add port${at} type veth peer name eth0 netns ${name}`)
    ip(this.#switch, `link set port${at} master br0 up`)
    ip(name, 'link set lo up')
    ip(name, 'link set eth0 up')
    ip(name, `address add ${address}/24 dev eth0`)
    ip(name, 'route add 224.0.0.0/4 dev eth0')
    const chain = 'add table inet lan; add chain inet lan input { type filter hook input priority 0; }'
    run('ip', ['netns', 'exec', name, 'nft', chain])
    return {
      name,
      address,
      spawn: (command, args, stdio) => spawn('ip', ['netns', 'exec', name, command, ...args], { stdio }),
    }
  }
}

const PREFIX = 'millpond-'
/** What lies here for a namespace is seen as /etc by the programs in it. */
const FILES = '/etc/netns'

function ip(namespace: string, words: string): void {
  run('ip', ['-n', namespace, ...words.split(' ')])
}

function rule(namespace: string, words: string): void {
  run('ip', ['netns', 'exec', namespace, 'nft', `add rule inet lan input iifname eth0 ${words}`])
}

function removeNamespace(name: string): void {
  rmSync(`${FILES}/${name}`, { recursive: true, force: true })
  const isThere = run('ip', ['netns', 'list'])
    .split('\n')
    .some((line) => line.split(' ')[0] === name)
  if (isThere) run('ip', ['netns', 'delete', name])
}

/** Names say whose they are: those of processes that are gone. */
function removeLeftOvers(): void {
  const names = run('ip', ['netns', 'list'])
    .split('\n')
    .map((line) => line.split(' ')[0]!)
  for (const name of names) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) removeNamespace(name)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'pipe'] })
}
