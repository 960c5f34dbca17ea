import type { Command } from '../command.ts'
import { MILLPOND_VERSION, REDIS_VERSION } from '../versions.ts'

const WIDTH = 40
const HEIGHT = 8
const WAVES = [' ', '.', '~', '-', '=']

/** A pond, each time another. */
export const lolwut: Command = {
  name: 'lolwut',
  since: '5.0.0',
  group: 'server',
  summary: 'Displays computer art and the server version.',
  arity: -1,
  flags: ['readonly', 'fast'],
  syntax: '[VERSION version]',
  run({ service }, _args, reply) {
    const [x, y] = [service.random() * WIDTH, service.random() * HEIGHT]
    let picture = ''
    for (let row = 0; row < HEIGHT; row++) {
      for (let column = 0; column < WIDTH; column++) {
        const wave = Math.sin(Math.hypot(column - x, (row - y) * 2)) + 1
        picture += WAVES[Math.min(WAVES.length - 1, Math.floor((wave / 2) * WAVES.length))]
      }
      picture += '\n'
    }
    reply.verbatim('txt', `${picture}\nRedis ver. ${REDIS_VERSION}, Millpond ${MILLPOND_VERSION}\n`)
  },
}
