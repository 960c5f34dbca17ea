import { expect, test } from 'vitest'
import type { Command } from './command.ts'
import type { LoggedCommand } from './logs.ts'
import { COMMANDS } from './table.ts'
import { TestService } from './testing.ts'

/** Waits for a string, and takes it away. */
const take: Command = {
  name: 'take',
  since: '0.1.0',
  group: 'string',
  summary: 'Takes a string away as soon as there is one.',
  arity: 3,
  flags: ['write', 'blocking'],
  waitsFor: 'string',
  keys: [{ first: 1, last: 1, access: 'RW' }],
  run(client, args, reply) {
    const key = args.span(1)
    const value = client.db.editString(key)?.copy()
    if (value === undefined) {
      client.block([key], args.integer(2) || Number.POSITIVE_INFINITY)
      return
    }
    client.db.delete(key)
    client.db.changed(key, 'del', 'g')
    client.logAs('DEL', key.copy())
    reply.bytes(value, 0, value.length)
  },
}

function start() {
  const service = new TestService([...COMMANDS, take])
  return { service, one: service.client(), two: service.client(), three: service.client() }
}

test('each command is found whatever was called before it', () => {
  const { one } = start()
  for (const name of ['GET', 'get', 'SET', 'GETEX', 'ge', 'get', 'gets', 'GeT', 'get']) {
    const said = JSON.stringify(one.say(name))
    const known = { get: "'get'", set: "'set'", getex: "'getex'" }[name.toLowerCase()]
    expect(said).toContain(known ? `arguments for ${known}` : `unknown command '${name}'`)
  }
  expect(one.say('CONFIG GET port')).toEqual(['port', '6379'])
  expect(one.say('GET port')).toBe(null)
})

test('names are found in capitals or not; what is unknown, and wrong counts of words, are answered as Redis does', () => {
  const { one } = start()
  expect(one.say('PiNg')).toBe('PONG')
  expect(one.say('GET')).toEqual({ error: "ERR wrong number of arguments for 'get' command" })
  expect(one.say('nothing a b')).toEqual({
    error: "ERR unknown command 'nothing', with args beginning with: 'a' 'b' ",
  })
})

test('commands that wait are served in the order in which they came, each once', () => {
  const { service, one, two, three } = start()
  expect(one.say('take key 0')).toBeUndefined()
  expect(two.say('take key 0')).toBeUndefined()
  expect(service.waiters.count).toBe(2)
  three.say('set key 1')
  expect([one.answer, two.answer]).toEqual(['1', undefined])
  three.say('set key 2')
  expect(two.answer).toBe('2')
  expect(three.say('get key')).toBe(null)
  expect(service.waiters.count).toBe(0)
  expect(service.waiters.active).toBe(false)
})

test('a key of another type lets it wait on', () => {
  const service = new TestService([...COMMANDS, { ...take, waitsFor: 'list' }])
  const one = service.client()
  one.say('take key 0')
  service.client().say('set key 1')
  expect(one.answer).toBeUndefined()
  expect(service.waiters.count).toBe(1)
})

test('who waits too long is told so, and takes nothing later', () => {
  const { service, one, two } = start()
  one.say('take key 100')
  service.time.pass(99)
  expect(one.answer).toBeUndefined()
  service.time.pass(1)
  expect(one.answer).toBe(null)
  two.say('set key 1')
  expect(two.say('get key')).toBe('1')
})

test('in a transaction nobody waits; those outside are served when it is over', () => {
  const { one, two } = start()
  two.say('take key 0')
  for (const line of ['multi', 'set key 1', 'set key 2', 'take other 0']) one.say(line)
  expect(one.say('exec')).toEqual(['OK', 'OK', null])
  expect(two.answer).toBe('2')
})

test('WATCH: a change of the key, of another client or the own, lets EXEC do nothing, once', () => {
  const { one, two } = start()
  for (const line of ['watch key', 'multi', 'set other 1']) one.say(line)
  two.say('set key 1')
  expect(one.say('exec')).toBe(null)
  expect(one.say('get other')).toBe(null)
  for (const line of ['watch key', 'multi', 'set other 1']) one.say(line)
  expect(one.say('exec')).toEqual(['OK'])
})

test('WATCH: a key that was there and is gone by its time breaks; one that never was does not', () => {
  const { service, one, two } = start()
  two.say('set key 1 PX 10')
  for (const line of ['watch key', 'multi', 'ping']) one.say(line)
  service.time.pass(20)
  expect(one.say('exec')).toBe(null)
  for (const line of ['watch key', 'multi', 'ping']) one.say(line)
  two.say('flushall')
  expect(one.say('exec')).toEqual(['PONG'])
})

test('what could not be queued aborts the transaction, and errors inside it are answers of theirs', () => {
  const { one } = start()
  for (const line of ['multi', 'set a 1', 'get']) one.say(line)
  expect(one.say('exec')).toEqual({ error: 'EXECABORT Transaction discarded because of previous errors.' })
  expect(one.say('get a')).toBe(null)
  for (const line of ['multi', 'set a 1 ex', 'ping']) one.say(line)
  expect(one.say('exec')).toEqual([{ error: 'ERR syntax error' }, 'PONG'])
})

test('the log is told what changed, by other words where a command says so, transactions as one', () => {
  const { service, one, two } = start()
  const log: string[][] = []
  const text = ({ args }: LoggedCommand) => args.texts(0).join(' ')
  service.logs.log = {
    append: (db, args) => void log.push([text({ db, args })]),
    appendGroup: (commands) => void log.push(commands.map(text)),
    settled: true,
    whenSettled: (run) => run(),
  }
  for (const line of ['set a 1', 'get a', 'del none', 'multi', 'set a 2', 'get a', 'del a', 'exec']) one.say(line)
  two.say('take key 0')
  one.say('set key 1')
  expect(log).toEqual([['set a 1'], ['set a 2', 'del a'], ['set key 1'], ['DEL key']])
})

test('what a short command logs instead of itself is logged at once, also where nothing has changed', () => {
  const instead: Command = {
    name: 'instead',
    since: '0.1.0',
    group: 'string',
    summary: 'Changes nothing, and logs another command.',
    arity: -1,
    flags: ['write', 'fast'],
    run(client, args, reply) {
      client.logAs(...args.texts(1))
      reply.simple('OK')
    },
  }
  const service = new TestService([...COMMANDS, instead])
  const log = service.logLines()
  const one = service.client()
  one.say('instead del key')
  expect(log).toEqual(['del key'])
  one.say('instead')
  one.say('set key 1')
  expect(log).toEqual(['del key', 'set key 1'])
})

test('a pause puts off what changes, and then does it', () => {
  const { service, one, two } = start()
  service.pause.begin('write', service.time.nowMs + 100)
  expect(one.say('set key 1')).toBeUndefined()
  expect(two.say('get key')).toBe(null)
  service.time.pass(100)
  expect(one.answer).toBe('OK')
  expect(two.say('get key')).toBe('1')
})

test('while writes are put off nothing leaves because its time is over, though nobody sees it', () => {
  const { service, one, two } = start()
  const events = service.events()
  one.say('set key 1 px 10')
  one.say('set other 1 px 10')
  service.pause.begin('write', service.time.nowMs + 100)
  service.time.pass(20)
  expect(two.say('get key')).toBe(null)
  expect(service.cache.clearAway()).toBe(0)
  expect(two.say('dbsize')).toBe(2)
  service.pause.end()
  expect(two.say('get key')).toBe(null)
  expect(service.cache.clearAway()).toBe(1)
  expect(events.slice(-2)).toEqual(['expired key', 'expired other'])
})

test('calls, refusals and failures are counted', () => {
  const { service, one } = start()
  for (const line of ['ping', 'get', 'set a 1 ex', 'get a']) one.say(line)
  const { statistics, commands } = service
  statistics.end()
  const [get, set] = [commands.named('get')!.id, commands.named('set')!.id]
  expect([statistics.calls[get], statistics.rejected[get], statistics.failed[get]]).toEqual([1, 1, 0])
  expect([statistics.calls[set], statistics.rejected[set], statistics.failed[set]]).toEqual([1, 0, 1])
  expect(statistics.errors).toEqual(new Map([['ERR', 2]]))
  expect(statistics.total).toBe(3)
})

test('what a client reads that is not to touch counts as no use, but TOUCH does', () => {
  const { service, one } = start()
  one.say('config set maxmemory-policy allkeys-lru')
  one.say('set key 1')
  one.say('client no-touch on')
  service.time.pass(5000)
  expect(one.say('get key')).toBe('1')
  expect(one.say('object idletime key')).toBe(5)
  one.say('touch key')
  expect(one.say('object idletime key')).toBe(0)
  service.time.pass(5000)
  one.say('client no-touch off')
  one.say('get key')
  expect(one.say('object idletime key')).toBe(0)
})

test('DEBUG is for who may, and answers with any error that a client is to be tested by', () => {
  const { service, one } = start()
  expect(one.run('debug', 'error', 'LOADING soon')).toMatchObject({ error: expect.stringContaining('not allowed') })
  service.configuration.start('enable-debug-command', 'local')
  expect(one.run('debug', 'error', 'LOADING soon')).toEqual({ error: 'LOADING soon' })
})
