/** A server with two tenants, and everything of the one that the other must never see or change. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '../../../packages/millpond-server/src/commands/client.ts'
import { Configuration } from '../../../packages/millpond-server/src/commands/configuration/configuration.ts'
import type { Service } from '../../../packages/millpond-server/src/commands/service.ts'
import { type Answer, TestClient } from '../../../packages/millpond-server/src/commands/testing.ts'
import { AuditLog } from '../../../packages/millpond-server/src/security/audit-log.ts'
import { type RunningServer, startServer } from '../../../packages/millpond-server/src/server.ts'
import { SCRIPT } from './calls.ts'

/** Is in values, in names that nobody is told, in messages: never in a call, so never rightly in an answer. */
export const SECRET = 'xSECRETx'
export const KNOWN = {
  keys: ['string', 'number', 'list', 'set', 'zset', 'hash', 'stream', 'log', 'places', 'bits'].map(
    (type) => `known:${type}`,
  ),
  channels: ['known:channel', '__keyspace@0__:known:string', '__keyevent@0__:set', '__redis__:invalidate'],
}

export class Market {
  readonly server: RunningServer
  /** What the server says of faults, and of admins. */
  readonly told: string[] = []
  readonly #admin: TestClient
  readonly #folder: string
  #owners = 0

  static async open(): Promise<Market> {
    const folder = mkdtempSync(join(tmpdir(), 'millpond-market-'))
    const configuration = new Configuration()
    configuration.set([['dir', folder]])
    const ports = { port: 0, 'memcached-port': 0, 'http-port': 0 }
    const market = new Market(await startServer({ configuration, ports }), folder)
    market.server.host.home.accessControl.set('default', ['off'])
    for (const name of ['shop', 'bank']) {
      const service = await market.server.host.create(name)
      service.configuration.set([
        ['notify-keyspace-events', 'KEA'],
        ['slowlog-log-slower-than', '0'],
      ])
      service.onFault = (error) => void market.told.push(`fault: ${String((error as Error).stack)}`)
    }
    return market
  }

  constructor(server: RunningServer, folder: string) {
    this.server = server
    this.#folder = folder
    this.#admin = new TestClient(server.host.home)
    server.host.audit = new AuditLog(undefined, (line) => void this.told.push(line))
    server.host.home.onFault = (error) => void this.told.push(`fault: ${String((error as Error).stack)}`)
  }

  service(cache: string): Service {
    return this.server.host.service(cache)
  }

  /** A token, by the options of TOKEN CREATE. */
  token(line: string): string {
    const parts = this.#admin.say(`token create ${line}`) as readonly Answer[]
    return parts[parts.indexOf('token') + 1] as string
  }

  /** Somebody who may do everything in a cache. */
  owner(cache: string): TestClient {
    const owner = new TestClient(this.server.host.home)
    owner.run('AUTH', cache, this.token(`owner-${cache}-${++this.#owners} admin`))
    return owner
  }

  async close(): Promise<void> {
    await this.server.close()
    rmSync(this.#folder, { recursive: true })
  }
}

/** Puts everything into a cache that is somebody's own, in names that begin with `known:`, and in some that nobody is told. */
export function fill(owner: TestClient): void {
  for (const db of [1, 0]) {
    owner.run('SELECT', db)
    owner.run('SET', 'known:string', `${SECRET} text`)
    owner.run('SET', 'known:number', 77_771)
    owner.run('SETBIT', 'known:bits', 7, 1)
    owner.run('RPUSH', 'known:list', `${SECRET}1`, 'a')
    owner.run('SADD', 'known:set', `${SECRET}1`, 'a')
    owner.run('ZADD', 'known:zset', 1, `${SECRET}1`, 2, 'a')
    owner.run('HSET', 'known:hash', 'field', SECRET, `${SECRET}2`, 'x')
    owner.run('XADD', 'known:stream', '1-1', 'field', SECRET)
    owner.run('XGROUP', 'CREATE', 'known:stream', 'readers', '0')
    owner.run('PFADD', 'known:log', SECRET)
    owner.run('GEOADD', 'known:places', 13.4, 52.5, SECRET, 13.4, 52.6, 'a')
    owner.run('SET', `${SECRET}:key`, 'x')
  }
}

/** What else there is in a cache of its own: scripts, functions, users, channels, clients by name, slow commands. */
export function furnish(owner: TestClient): Client {
  for (const script of [SCRIPT, `return 1 -- ${SECRET}`]) owner.run('SCRIPT', 'LOAD', script)
  owner.run(
    'FUNCTION',
    'LOAD',
    `#!lua name=library\nredis.register_function{function_name='show', callback=function() return 1 end, flags={'no-writes'}} -- ${SECRET}`,
  )
  owner.run('ACL', 'SETUSER', `${SECRET}user`, 'on', `>${SECRET}`)
  const listener = new TestClient(owner.service)
  listener.name = `${SECRET}name`
  listener.user = owner.user
  listener.run('SUBSCRIBE', `${SECRET}:channel`)
  listener.run('PSUBSCRIBE', `${SECRET}:*`)
  listener.run('SSUBSCRIBE', `${SECRET}:shard`)
  owner.run('TOPIC', 'READ', `${SECRET}:topic`)
  owner.run('TOPIC', 'PUBLISH', 'known:channel', SECRET)
  return listener
}

/** What an owner goes on doing while others try. */
export function trade(owner: TestClient): void {
  owner.run('SET', `${SECRET}:key`, 'x')
  owner.run('EXPIRE', `${SECRET}:key`, 1000)
  owner.run('PUBLISH', `${SECRET}:channel`, SECRET)
  owner.run('SPUBLISH', `${SECRET}:shard`, SECRET)
  owner.run('TOPIC', 'PUBLISH', `${SECRET}:topic`, SECRET)
  owner.service.endBatch()
}

/** All keys of a cache with what they hold, in words that can be compared. */
export function stateOf(owner: TestClient, counts: (key: string) => boolean = () => true): string[] {
  const state: string[] = []
  for (const { index } of owner.service.databases) {
    owner.run('SELECT', index)
    for (const key of (owner.run('KEYS', '*') as string[]).toSorted()) {
      if (counts(key))
        state.push(`${index} ${key} ${Buffer.from(owner.run('DUMP', key) as string, 'latin1').toString('base64')}`)
    }
  }
  owner.run('SELECT', 0)
  return state
}
