/**
 * A load of memcached's text protocol: `node memcached-load.fixture.ts <port> <set|get|mixed> <bytes> <pipeline> <requests>`. Requests are
 * made before it begins, and answers are counted by their bytes, so that it takes little time itself. Mixed: nine get to a set.
 */
import { once } from 'node:events'
import net from 'node:net'

const CONNECTIONS = 50
const KEYS = 100_000
/** Batches that were made beforehand, sent in turn. */
const BATCHES = 512

const [port, command, bytes, pipeline, requests] = process.argv.slice(2) as [string, string, string, string, string]
const value = 'v'.repeat(Number(bytes))
const depth = Number(pipeline)
const total = Number(requests)

const SETS = { set: 1, get: 0, mixed: 0.1 }
const SET_ANSWER_BYTES = 'STORED\r\n'.length
const GET_ANSWER_BYTES = `VALUE key:000000000000 0 ${bytes}\r\n${value}\r\nEND\r\n`.length

interface Batch {
  readonly requests: Buffer
  readonly answerBytes: number
}

function makeBatch(): Batch {
  let text = ''
  let answerBytes = 0
  for (let left = depth; left > 0; left--) {
    const key = `key:${String(Math.floor(Math.random() * KEYS)).padStart(12, '0')}`
    const isSet = Math.random() < SETS[command as keyof typeof SETS]
    text += isSet ? `set ${key} 0 0 ${bytes}\r\n${value}\r\n` : `get ${key}\r\n`
    answerBytes += isSet ? SET_ANSWER_BYTES : GET_ANSWER_BYTES
  }
  return { requests: Buffer.from(text, 'latin1'), answerBytes }
}

const batches = Array.from({ length: BATCHES }, makeBatch)

/** Sends a batch after the other until all are sent, and resolves when they are answered. */
async function drive(share: number): Promise<void> {
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  await new Promise<void>((resolve, reject) => {
    let left = share
    let owed = 0
    let turn = Math.floor(Math.random() * BATCHES)
    const send = (): void => {
      if (left <= 0) {
        socket.destroy()
        resolve()
        return
      }
      left -= depth
      const { requests: text, answerBytes } = batches[turn++ % BATCHES]!
      owed = answerBytes
      socket.write(text)
    }
    socket.on('data', (answer) => {
      owed -= answer.length
      if (owed === 0) send()
      else if (owed < 0) reject(new Error(`not the answers that were expected: ${String(answer).slice(0, 200)}`))
    })
    socket.on('error', reject)
    send()
  })
}

const beganAtMs = performance.now()
await Promise.all(Array.from({ length: CONNECTIONS }, () => drive(Math.ceil(total / CONNECTIONS))))
console.log(JSON.stringify({ rate: total / ((performance.now() - beganAtMs) / 1000) }))
