/** All commands of the table by RESP. */
import net from 'node:net'
import { type CommandEntry, CommandTable } from '../../../packages/millpond-server/src/commands/command-table.ts'
import { COMMANDS } from '../../../packages/millpond-server/src/commands/table.ts'
import { callOf } from './calls.ts'
import type { Driver, Tried } from './driver.ts'

/** So many connections at a time. */
const AT_ONCE = 16
/** A connection that does not answer PING any more (CLIENT REPLY OFF) is waited for so long. */
const SILENT_MS = 300

/** Of these each wrong one takes longer. */
const GUESSES = new Set(['auth', 'hello'])

export const respDriver: Driver = {
  name: 'RESP',
  async tryAll(server, as, aim, random, variants, meanwhile) {
    const { entries } = new CommandTable(COMMANDS)
    const tried: Tried[] = []
    const lines = entries.map((entry) => ({
      entry,
      protocol: random.pick(['2', '3']),
      calls: Array.from({ length: GUESSES.has(entry.fullName) ? 1 : variants }, () => callOf(entry, random, aim)),
    }))
    for (let from = 0; from < lines.length; from += AT_ONCE) {
      const group = lines.slice(from, from + AT_ONCE).map(async ({ entry, protocol, calls }) => {
        const greeting = as === undefined ? [] : [['HELLO', protocol, 'AUTH', as.cache, as.secret]]
        const isNobody = as === undefined
        const commands = [...greeting, ...calls, isNobody ? ['QUIT'] : ['PING', FIRST]]
        return { calls: calls.map(shown), answers: await exchange(server, entry, commands, meanwhile, isNobody) }
      })
      tried.push(...(await Promise.all(group)))
    }
    return tried
  },
}

/** Sends commands, lets others do what they do, and resolves with all that came back. Nobody is answered no PING, and quits. */
function exchange(
  server: RunningServerPort,
  { fullName }: CommandEntry,
  commands: readonly (readonly string[])[],
  meanwhile: () => void,
  isNobody: boolean,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ port: server.port, host: '127.0.0.1' }).setEncoding('latin1')
    let answers = ''
    let stage = 0
    if (isNobody) meanwhile()
    const silent = (): void => void setTimeout(() => socket.destroy(), SILENT_MS)
    socket.on('data', (text: string) => {
      answers += text
      if (stage === 0 && answers.includes(FIRST)) {
        stage = 1
        meanwhile()
        socket.write(encode(['PING', SECOND]))
      }
      if (stage === 1 && answers.includes(SECOND)) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answers))
    socket.write(commands.map(encode).join(''), 'latin1')
    if (MAY_BE_SILENT.has(fullName)) silent()
  })
}

type RunningServerPort = { readonly port: number }

const FIRST = 'first-is-over'
const SECOND = 'second-is-over'
/** PING is not told, not allowed, queued or refused after them. */
const MAY_BE_SILENT = new Set(['client|reply', 'multi', 'reset'])

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

function shown(words: readonly string[]): string {
  return words.join(' ')
}
