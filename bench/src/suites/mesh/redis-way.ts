/** Redis pub/sub by ioredis: what a library with a broker does to tell its peers. The value travels in the message. */
import { Redis } from 'ioredis'
import type { OpenWay, Way } from './way.ts'

const CHANNEL = 'changes'

export const openRedisWay: OpenWay<{ port: number }> = async ({ port }) => {
  const publisher = new Redis(port, '127.0.0.1')
  const subscriber = new Redis(port, '127.0.0.1')
  const self = `${process.pid}`
  const way: Way = {
    onValue: undefined,
    set: (key, text) => void publisher.publish(CHANNEL, `${self}=${key}=${text}`),
    async close() {
      publisher.disconnect()
      subscriber.disconnect()
    },
  }
  await subscriber.subscribe(CHANNEL)
  subscriber.on('message', (_channel, message) => {
    if (!message.startsWith(`${self}=`)) way.onValue?.(message.slice(message.lastIndexOf('=') + 1))
  })
  return way
}
