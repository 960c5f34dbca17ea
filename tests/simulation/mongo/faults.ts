/** What goes wrong with a MongoDB while others read and write. Each fault heals before it resolves. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError, type MongoTestServer } from '../../../tools/servers/mongo.ts'
import { nowMs } from '../fresh/history.ts'

/** When writes were taken away that somebody may have seen. */
export interface Undone {
  readonly beganMs: number
  readonly endedMs: number
}

/** A fault as it is played. */
export type Fault = (server: MongoTestServer, ms: number) => Promise<Undone | undefined>

export const faults = {
  'connections are cut': (server) => done(() => server.killConnections()),
  'cursors are lost': (server) => done(() => server.killCursors()),
  'the primary is none for a moment': (server) =>
    done(() => {
      for (const command of ['getMore', 'find', 'update'])
        server.fail({ command, error: new CommandError(10_107, 'NotWritablePrimary', 'not primary') })
    }),
  'commands are lost': (server) =>
    done(() => {
      for (const command of ['getMore', 'find', 'hello', 'aggregate'])
        server.fail({ command, isLost: true, where: ({ lsid }) => lsid !== undefined })
    }),
  'the primary is elected anew': (server) => done(() => server.elect()),
  'secondaries stand still': async (server, ms) => {
    for (const secondary of server.secondaries) secondary.hold()
    await sleep(ms)
    for (const secondary of server.secondaries) secondary.release()
    return undefined
  },
  'no majority has what is written': async (server, ms) => {
    server.holdMajority(true)
    await sleep(ms)
    server.holdMajority(false)
    return undefined
  },
  'an election undoes what no majority has': async (server, ms) => {
    const beganMs = nowMs()
    server.holdMajority(true)
    await sleep(ms)
    server.elect()
    server.holdMajority(false)
    return { beganMs, endedMs: nowMs() }
  },
  'the log forgets what nobody has read yet': async (server, ms) => {
    server.pauseStreams(true)
    await sleep(ms / 4)
    server.rollOver()
    server.pauseStreams(false)
    return undefined
  },
} satisfies Record<string, Fault>

export type FaultName = keyof typeof faults

function done(strike: () => void): Promise<undefined> {
  strike()
  return Promise.resolve(undefined)
}
