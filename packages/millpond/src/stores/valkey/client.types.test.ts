/** The slices in client.ts, held against the real types: `tsc` fails here when they part. */
import { inspect } from 'node:util'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { Valkey, Cluster as ValkeyCluster } from 'iovalkey'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import { expect, test } from 'vitest'
import { OptionError } from '../../core/errors.ts'
import { recognise, type ValkeyClient } from './client.ts'

const lazy = { lazyConnect: true } as const
const nowhere = [{ host: '127.0.0.1', port: 1 }]

const clients: Record<string, [expected: string, ValkeyClient]> = {
  ioredis: ['io', new Redis(lazy)],
  'ioredis 5': ['io', new Redis5(lazy)],
  iovalkey: ['io', new Valkey(lazy)],
  'ioredis Cluster': ['io-cluster', new Cluster(nowhere, lazy)],
  'ioredis 5 Cluster': ['io-cluster', new Cluster5(nowhere, lazy)],
  'iovalkey Cluster': ['io-cluster', new ValkeyCluster(nowhere, lazy)],
  createClient: ['node-redis', createClient()],
  createClientPool: ['node-redis', createClientPool()],
  createCluster: ['node-redis-cluster', createCluster({ rootNodes: [] })],
  createSentinel: ['node-redis-sentinel', createSentinel({ name: 'main', sentinelRootNodes: nowhere })],
}

test.each(Object.entries(clients))('%s is recognised', (_, [kind, client]) => {
  expect(recognise(client, 'client').kind).toBe(kind)
})

test.each([undefined, null, {}, 6379, { sendCommand() {} }, { call() {} }, new Map()])('%s is none', (candidate) => {
  expect(() => recognise(candidate, 'client')).toThrow(OptionError)
})

test('who prints the error sees no password, and not the whole of what was given', () => {
  for (const given of [{ host: 'localhost', password: 'secret' }, Redis]) {
    const refused = () => recognise(given, 'client')
    expect(refused).toThrow(expect.objectContaining({ value: given }))
    expect(refused).toThrow(/^client: (?:an object|a function) cannot be used/)
    expect(refused).toThrow(expect.toSatisfy((error) => !inspect(error).includes('secret')))
  }
})

test('a prefix that the client would leave out is refused', () => {
  expect(() => recognise(createClient({ keyPrefix: 'shop:' }), 'client')).toThrow(/client\.keyPrefix.*prefix instead/)
})
