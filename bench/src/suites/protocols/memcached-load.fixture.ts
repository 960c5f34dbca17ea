/**
 * A load of memcached's text protocol: `node memcached-load.fixture.ts <port> <set|get> <bytes> <pipeline> <requests>`. Requests are
 * made before it begins, and answers of one length are counted by their bytes, so that it takes little time itself.
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

function requestOf(at: number): string {
  const key = `key:${String(at).padStart(12, '0')}`
  return command === 'get' ? `get ${key}\r\n` : `set ${key} 0 0 ${bytes}\r\n${value}\r\n`
}

const batches = Array.from({ length: BATCHES }, () => {
  const one = Array.from({ length: depth }, () => requestOf(Math.floor(Math.random() * KEYS)))
  return Buffer.from(one.join(''), 'latin1')
})
const answerBytes =
  command === 'get' ? `VALUE key:000000000000 0 ${bytes}\r\n${value}\r\nEND\r\n`.length : 'STORED\r\n'.length

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
      owed = depth * answerBytes
      socket.write(batches[turn++ % BATCHES]!)
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
