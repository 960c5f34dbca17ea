/** All lines of memcached's text and meta protocol. */
import net from 'node:net'
import type { Random } from '../redis/random.ts'
import type { Aim } from './calls.ts'
import type { Driver, Tried } from './driver.ts'

/** A connection that is not answered any more, because a line has made it listen, is waited for so long. */
const SILENT_MS = 300

const OF_KEYS: readonly ((key: string) => string)[] = [
  (key) => `get ${key}`,
  (key) => `gets ${key} ${key}`,
  (key) => `gat 100 ${key}`,
  (key) => `gats 100 ${key}`,
  (key) => `touch ${key} 100`,
  (key) => `set ${key} 0 0 1\r\nx`,
  (key) => `add ${key} 0 0 1\r\nx`,
  (key) => `replace ${key} 0 0 1\r\nx`,
  (key) => `append ${key} 0 0 1\r\nx`,
  (key) => `prepend ${key} 0 0 1\r\nx`,
  (key) => `cas ${key} 0 0 1 1\r\nx`,
  (key) => `incr ${key} 1`,
  (key) => `decr ${key} 1`,
  (key) => `delete ${key}`,
  (key) => `mg ${key} v k f c s t h l`,
  (key) => `mg ${key} v N60 T100`,
  (key) => `ms ${key} 1 T100\r\nx`,
  (key) => `ms ${key} 1 MA\r\nx`,
  (key) => `ma ${key} v N60 J1`,
  (key) => `md ${key} I T30`,
  (key) => `me ${key}`,
]
const OTHERS = [
  ...['', ' items', ' slabs', ' sizes', ' settings', ' conns', ' cachedump 1 100', ' reset', ' detail dump'].map(
    (what) => `stats${what}`,
  ),
  'lru_crawler metadump all',
  'lru_crawler mgdump all',
  'lru_crawler crawl all',
  'flush_all',
  'flush_all 1',
  'cache_memlimit 1',
  'verbosity 1',
  'version',
  'watch fetchers mutations',
  'slabs reassign 1 2',
  'shutdown',
  'debug',
  'nonsense',
]

export const memcachedDriver: Driver = {
  name: 'memcached',
  async tryAll(server, as, aim, random, variants, meanwhile) {
    const tried: Tried[] = []
    for (const calls of batches(aim, random, variants)) {
      const secrets = `${as?.cache} ${as?.secret}`
      const greeting = as === undefined ? [] : [`set auth 0 0 ${secrets.length}\r\n${secrets}`]
      tried.push({ calls, answers: await exchange(server.ports['memcached-port'], [...greeting, ...calls], meanwhile) })
    }
    return tried
  },
}

/** Each line by itself, so that a fault is found, and keys in turn. */
function batches(aim: Aim, random: Random, variants: number): string[][] {
  const ofKeys = OF_KEYS.map((line) => Array.from({ length: variants * 2 }, () => line(random.pick(aim.keys))))
  return [...ofKeys, ...OTHERS.map((line) => [line])]
}

function exchange(port: number, lines: readonly string[], meanwhile: () => void): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' }).setEncoding('latin1')
    let answers = ''
    let stage = 0
    const timer = setTimeout(() => socket.destroy(), SILENT_MS)
    socket.on('data', (text: string) => {
      answers += text
      if (stage === 0 && answers.endsWith('MN\r\n')) {
        stage = 1
        meanwhile()
        socket.write('mn\r\n')
      } else if (stage === 1 && answers.endsWith('MN\r\n')) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(answers)
    })
    socket.write([...lines, 'mn', ''].join('\r\n'), 'latin1')
  })
}
