/** The slices in bus-line.ts, held against the real types: `tsc` fails here when they part. */
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { Valkey } from 'iovalkey'
import { createClient, createClientPool, createSentinel } from 'redis'
import { expect, test } from 'vitest'
import { OptionError } from '../../core/errors.ts'
import { checkListens, type IoDuplicable, type NodeRedisDuplicable } from './bus-line.ts'
import { recognise } from './client.ts'

const lazy = { lazyConnect: true } as const
const sentinelRootNodes = [{ host: '127.0.0.1', port: 1 }]

const io: Record<string, IoDuplicable> = {
  ioredis: new Redis(lazy),
  'ioredis 5': new Redis5(lazy),
  iovalkey: new Valkey(lazy),
}
const nodeRedis: Record<string, NodeRedisDuplicable> = {
  createClient: createClient(),
  createSentinel: createSentinel({ name: 'main', sentinelRootNodes }),
}

test.each(Object.entries({ ...io, ...nodeRedis }))('%s listens', (_, client) => {
  expect(() => checkListens(recognise(client, 'client'))).not.toThrow()
})

test('a pool does not', () => {
  expect(() => checkListens(recognise(createClientPool(), 'client'))).toThrow(OptionError)
})
