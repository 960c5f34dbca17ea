import { expect, test } from 'vitest'
import { NO_QUOTAS } from '../../security/meter.ts'
import { MemcachedTest } from './testing.ts'

function start() {
  const world = new MemcachedTest()
  return { ...world, service: world.service, one: world.connect(), other: world.connect() }
}

test('a conversation is answered the same however its bytes come', () => {
  const requests =
    'set a 5 0 3\r\nabc\r\nget a b\r\nset b 0 0 8 noreply\r\nab\r\ncd\0e\r\ngets  b\r\nadd b 0 0 1\r\nx\r\n' +
    'append a 0 0 2\r\nde\r\nprepend a 9 0 1\r\n_\r\nreplace c 0 0 1\r\nx\r\nincr a 1\r\nset n 0 0 2\r\n41\r\nincr n 1\r\n' +
    'ms m 3 T0 c q\r\nxyz\r\nmg m s v f k Otoken\r\nmd m\r\nbogus\r\n\r\nset toolong\r\ndelete a\r\nmn\r\nversion\r\n' +
    `set big 0 0 5000\r\n${'v'.repeat(5000)}\r\nget big\r\ntouch big 100\r\n`
  const whole = new MemcachedTest().connect().say(requests)
  const unnumbered = (text: string): string => text.replaceAll(/\d{15,}/g, 'CAS')
  expect(unnumbered(whole)).toBe(
    'STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\nVALUE b 0 8 CAS\r\nab\r\ncd\0e\r\nEND\r\nNOT_STORED\r\nSTORED\r\nSTORED\r\nNOT_STORED\r\n' +
      'CLIENT_ERROR cannot increment or decrement non-numeric value\r\nSTORED\r\n42\r\nVA 3 s3 f0 km Otoken\r\nxyz\r\nHD\r\nERROR\r\nERROR\r\n' +
      `ERROR\r\nDELETED\r\nMN\r\nVERSION 1.6.18\r\nSTORED\r\nVALUE big 0 5000\r\n${'v'.repeat(5000)}\r\nEND\r\nTOUCHED\r\n`,
  )
  for (const piece of [1, 2, 3, 7, 64, 1000]) {
    for (const headroom of [0, 5, 4096]) {
      const answer = new MemcachedTest().connect().say(requests, piece, headroom)
      expect(unnumbered(answer), `${piece} bytes, ${headroom} before`).toBe(unnumbered(whole))
    }
  }
})

test('RESP and memcached see the same values, and the same number', () => {
  const { service, one } = start()
  const redis = service.client()
  redis.say('set greeting hello')
  expect(one.ask('get greeting')).toEqual(['VALUE greeting 0 5', 'hello', 'END'])
  one.set('count', '41', 7)
  expect(redis.say('incr count')).toBe(42)
  expect(one.ask('get count')).toEqual(['VALUE count 0 2', '42', 'END'])
  expect(one.ask('incr count 8')).toEqual(['50'])
  expect(redis.say('get count')).toBe('50')
  expect(redis.say('object encoding count')).toBe('int')
})

test('flags and cas are nothing that readers of strings see', () => {
  const { service, one } = start()
  const redis = service.client()
  one.set('key', 'value', 0xffffffff)
  const cas = one.cas('key')
  expect(cas).toBeGreaterThan(0)
  expect(one.ask('get key')).toEqual(['VALUE key 4294967295 5', 'value', 'END'])
  expect(redis.say('get key')).toBe('value')
  expect(redis.say('strlen key')).toBe(5)
  expect(redis.say('getrange key 0 -1')).toBe('value')
  expect(redis.say('mget key')).toEqual(['value'])
  expect(redis.say('object encoding key')).toBe('embstr')
  expect(redis.say('copy key other')).toBe(1)
  expect(one.ask('get other')).toEqual(['VALUE other 4294967295 5', 'value', 'END'])
  expect(redis.say('setrange key 4 E!')).toBe(6)
  expect(one.ask('get key')).toEqual(['VALUE key 0 6', 'valuE!', 'END'])
})

test.each([
  ['set key x', 'x'],
  ['append key x', 'valuex'],
  ['setrange key 0 V', 'Value'],
  ['setbit key 7 1', 'walue'],
  ['rename key key2', ''],
  ['getset key x', 'x'],
])('after %s of the Redis protocol a cas from before does not fit', (command, value) => {
  const { service, one } = start()
  one.set('key', 'value')
  const cas = one.cas('key')
  expect(one.cas('key')).toBe(cas)
  service.client().say(command)
  expect(one.ask(`cas key 0 0 1 ${cas}\r\ny`)).toEqual([value === '' ? 'NOT_FOUND' : 'EXISTS'])
  if (value === '') return
  const next = one.cas('key')
  expect(next).toBeGreaterThan(cas)
  expect(one.ask('get key')[1]).toBe(value)
  expect(one.ask(`cas key 0 0 1 ${next}\r\ny`, 'get key')).toEqual(['STORED', 'VALUE key 0 1', 'y', 'END'])
})

test('times to live: seconds, moments, negative ones, and those of the Redis protocol', () => {
  const { service, one } = start()
  const redis = service.client()
  const { time } = service
  one.set('short', 'x', 0, 10)
  one.set('moment', 'x', 0, Math.floor(time.nowMs / 1000) + 20)
  expect(one.set('past', 'x', 0, 31 * 24 * 60 * 60)).toBe('STORED')
  expect(one.set('negative', 'x', 0, -1)).toBe('STORED')
  expect([redis.say('pttl short'), redis.say('pttl moment')]).toEqual([10_000, 20_000])
  expect(one.ask('get past negative')).toEqual(['END'])
  redis.say('set plain x ex 30')
  expect(one.ask('mg short t', 'mg plain t')).toEqual(['HD t10', 'HD t30'])
  expect(one.ask('touch short 0', 'gat 5 moment')).toEqual(['TOUCHED', 'VALUE moment 0 1', 'x', 'END'])
  expect([redis.say('pttl short'), redis.say('pttl moment')]).toEqual([-1, 5000])
  time.pass(6000)
  expect(one.ask('get moment', 'get short')).toEqual(['END', 'VALUE short 0 1', 'x', 'END'])
  expect(one.ask('touch short -1', 'get short')).toEqual(['TOUCHED', 'END'])
})

test('an operation is one of the quota', () => {
  const { service, one } = start()
  service.meter.change({ ...NO_QUOTAS, operations: 2 }, service.time.nowMs)
  service.accessControl.refreshAll()
  expect(one.ask('set a 0 0 1\r\nx', 'get a', 'get a')).toEqual([
    ...['STORED', 'VALUE a 0 1', 'x', 'END'],
    "SERVER_ERROR LIMIT cache 'default' has used up its 2 operations a second; try again in 500 ms",
  ])
  service.time.pass(500)
  expect(one.ask('get none')).toEqual(['END'])
})

test('flush_all: at once, later, and what was to come later is replaced', () => {
  const { service, one } = start()
  const { time } = service
  one.set('a', '1')
  expect(one.ask('flush_all', 'get a')).toEqual(['OK', 'END'])
  one.set('a', '1')
  expect(one.ask('flush_all 10', 'get a')).toEqual(['OK', 'VALUE a 0 1', '1', 'END'])
  time.pass(9000)
  one.set('b', '2')
  time.pass(1000)
  expect(one.ask('get a b')).toEqual(['END'])
  one.set('a', '1')
  one.ask('flush_all 10', 'flush_all 30')
  time.pass(11_000)
  expect(one.ask('get a')).toHaveLength(3)
  expect(one.ask('flush_all bogus')).toEqual(['CLIENT_ERROR invalid exptime argument'])
})

test('a key that holds a collection is a miss, is not added to, and is overwritten by set', () => {
  const { service, one } = start()
  const redis = service.client()
  redis.say('rpush list a b')
  const wrong = 'SERVER_ERROR WRONGTYPE the key holds another kind of value than a string'
  expect(one.ask('get list', 'mg list v', 'gat 10 list')).toEqual(['END', 'EN', 'END'])
  expect(one.ask('incr list 1', 'append list 0 0 1\r\nx', 'mg list N30 v', 'ma list N0')).toEqual(Array(4).fill(wrong))
  expect(one.ask('add list 0 0 1\r\nx', 'cas list 0 0 1 1\r\nx')).toEqual(['NOT_STORED', 'EXISTS'])
  expect(redis.say('llen list')).toBe(2)
  expect(one.ask('touch list 100')).toEqual(['TOUCHED'])
  expect(redis.say('ttl list')).toBe(100)
  expect(one.set('list', 'text')).toBe('STORED')
  expect(redis.say('type list')).toBe('string')
  redis.say('sadd set a')
  expect(one.ask('delete set', 'delete set')).toEqual(['DELETED', 'NOT_FOUND'])
})

test('whoever watches, tracks or hears events is told', () => {
  const { service, one } = start()
  const redis = service.client()
  const events = service.events()
  redis.say('watch a')
  redis.say('multi')
  redis.say('get a')
  one.set('a', '1', 0, 10)
  one.ask(
    'incr a 1',
    'append a 0 0 1\r\n0',
    'prepend a 0 0 1\r\n1',
    'touch a 0',
    'touch a 5',
    'delete a',
    'delete a',
    'get a',
  )
  expect(events).toEqual([
    ...['set a', 'expire a', 'incrby a', 'append a', 'setrange a', 'persist a', 'expire a', 'del a'],
  ])
  expect(redis.say('exec')).toBe(null)
})

test('the log is told commands that do the same, with flags as notes', () => {
  const { service, one } = start()
  const log = service.logLines()
  const until = service.time.nowMs + 10_000
  one.set('a', '1', 0, 10)
  one.ask('incr a 1', 'gets a', 'touch a 0', 'gat 10 a', 'delete a', 'delete a', 'get a', 'flush_all')
  one.set('gone', '1', 0, -1)
  expect(log).toEqual([
    `SET a 1 PXAT ${until}`,
    `SET a 2 PXAT ${until}`,
    'PERSIST a',
    `PEXPIREAT a ${until}`,
    'DEL a',
    'FLUSHDB',
  ])
})

test('long lines, long keys, and values that are too large', () => {
  const { service, one, other } = start()
  service.cache.itemBytesMax = 1000
  const key = 'k'.repeat(250)
  expect(one.ask(`set ${key} 0 0 1\r\nx`, `get ${key}`)).toEqual(['STORED', `VALUE ${key} 0 1`, 'x', 'END'])
  expect(one.ask(`get a ${key}k b`, `mg ${key}k`)).toEqual(Array(2).fill('CLIENT_ERROR bad command line format'))
  one.set('a', 'old')
  expect(one.ask(`set a 0 0 2000\r\n${'x'.repeat(2000)}`, 'get a')).toEqual([
    'SERVER_ERROR object too large for cache',
    'END',
  ])
  expect(one.ask(`get ${Array.from({ length: 5000 }, (_, at) => `key${at}`).join(' ')}`)).toEqual(['END'])
  expect(other.say(`set ${'x'.repeat(3000)}`)).toBe('CLIENT_ERROR line too long\r\n')
  expect(other.ended).toBe(true)
})

test('without room: nothing is stored, what is old goes, and reads go on', () => {
  const { service, one } = start()
  service.client().say('config set maxmemory-policy noeviction')
  const value = 'x'.repeat(100_000)
  let answer = ''
  for (let at = 0; at < 500 && answer !== 'SERVER_ERROR out of memory storing object'; at++)
    answer = one.set(`k${at}`, value)
  expect(answer).toBe('SERVER_ERROR out of memory storing object')
  expect(one.ask('get k0')[1]).toBe(value)
  expect(one.ask('stats').find((line) => line.includes('store_no_memory'))).toBe('STAT store_no_memory 1')
})

test('a pause holds back what writes, and it is done afterwards, in order', async () => {
  const { service, one, other } = start()
  const redis = service.client()
  redis.say('client pause 1000 write')
  expect(one.ask('get a', 'set a 0 0 1\r\nx', 'get a')).toEqual(['END'])
  expect(one.ask('incr n 1')).toEqual([])
  expect(other.ask('get a')).toEqual(['END'])
  service.time.pass(1001)
  await new Promise(setImmediate)
  expect(one.taken()).toBe('STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\nNOT_FOUND\r\n')
})

test('a user that may not do everything is held to what it may, by every command', () => {
  const { service, one } = start()
  service.accessControl.set('reader', ['on', '>secret', '~mine:*', '+get'])
  service.accessControl.set('default', ['off'])
  const limited = new MemcachedTest({}, service).connect()
  expect(limited.ask('get mine:a', 'version')).toEqual(Array(2).fill('CLIENT_ERROR unauthenticated'))
  expect(limited.ask('set any 0 0 14\r\nreader mistake')).toEqual(['CLIENT_ERROR authentication failure'])
  expect(limited.ask('set any 0 0 13\r\nreader secret')).toEqual(['STORED'])
  service.accessControl.set('default', ['on', 'nopass', '~*', '&*', '+@all'])
  one.set('mine:a', 'x')
  expect(limited.ask('get mine:a')).toEqual(['VALUE mine:a 0 1', 'x', 'END'])
  const refused = [
    'get other',
    'get mine:a other',
    'gat 10 mine:a',
    'mg other v',
    'mg mine:a T30',
    'mg mine:b N30',
    'set mine:a 0 0 1\r\ny',
    'ms mine:a 1\r\ny',
    'incr mine:a 1',
    'ma mine:a',
    'delete mine:a',
    'md mine:a',
    'touch mine:a 1',
    'flush_all',
    'stats',
    'stats settings',
    'stats reset',
    'stats detail on',
    'stats cachedump 1 0',
    'lru_crawler metadump all',
    'cache_memlimit 100',
    'me other',
  ]
  for (const line of refused) {
    const [answer, ...more] = limited.ask(line)
    expect([line, answer?.slice(0, 19), more]).toEqual([line, 'CLIENT_ERROR NOPERM', []])
  }
  expect(one.ask('get mine:a')).toEqual(['VALUE mine:a 0 1', 'x', 'END'])
})

test('stats count, by prefix too, and begin anew', () => {
  const { one } = start()
  one.ask('stats detail on')
  one.set('user:1', 'x')
  one.ask('get user:1', 'get user:2', 'delete user:3')
  expect(one.ask('stats detail dump')).toEqual(['PREFIX user get 2 hit 1 set 1 del 1', 'END'])
  const stat = (name: string) => one.ask('stats').find((line) => line.startsWith(`STAT ${name} `))
  expect(['cmd_get', 'get_hits', 'get_misses', 'cmd_set', 'delete_misses', 'curr_items'].map(stat)).toEqual([
    ...['STAT cmd_get 2', 'STAT get_hits 1', 'STAT get_misses 1', 'STAT cmd_set 1', 'STAT delete_misses 1'],
    'STAT curr_items 1',
  ])
  expect(one.ask('stats reset', 'stats detail dump')).toEqual(['RESET', 'END'])
  expect(stat('cmd_get')).toBe('STAT cmd_get 0')
  expect(one.ask('stats cachedump 1 10', 'stats bogus')).toEqual(['ITEM user:1 [1 b; 0 s]', 'END', 'ERROR'])
  expect(one.ask('lru_crawler metadump all')[0]).toMatch(/^key=user%3A1 exp=-1 la=\d+ cas=0 fetch=yes cls=1 size=\d+$/)
})

test('who speaks HTTP is hung up on, and quit ends', () => {
  const { one, other } = start()
  expect(one.ask('GET / HTTP/1.0')).toEqual([])
  expect(one.ended).toBe(true)
  expect(other.ask('mg x', 'quit', 'mg x')).toEqual(['EN'])
  expect(other.ended).toBe(true)
})
