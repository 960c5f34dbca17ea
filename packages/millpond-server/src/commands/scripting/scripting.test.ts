import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { TestService } from '../testing.ts'

let service: TestService
let client: ReturnType<TestService['client']>

beforeEach(() => {
  service = new TestService()
  client = service.client()
})

const evaluate = (script: string, ...keys: string[]) => client.run('EVAL', script, keys.length, ...keys, 'one', 'two')
const errorOf = (answer: unknown) => (answer as { error: string }).error

test('values go from Lua to an answer and back as in Redis', () => {
  expect(evaluate('return 100.7')).toBe(100)
  expect(evaluate('return {1, "two", {3}, nil, 5}')).toEqual([1, 'two', [3]])
  expect(evaluate('return {true, false}')).toEqual([1, null])
  expect(evaluate('return {ok = "FINE"}')).toBe('FINE')
  expect(evaluate('return {err = "MY error"}')).toEqual({ error: 'MY error' })
  expect(evaluate('return {KEYS[1], ARGV[2], #KEYS}', 'k')).toEqual(['k', 'two', 1])
  expect(evaluate('return "\\0\\255"')).toBe('\u0000\u00ff')
  expect(evaluate('redis.call("SET", "n", 0.1) return redis.call("GET", "n")')).toBe('0.10000000000000001')
  expect(evaluate('return {type(redis.call("GET", "none")), redis.call("SET", "a", 1).ok}')).toEqual(['boolean', 'OK'])
})

test('a pause of writes holds back scripts, but not those that say that they write nothing', () => {
  const reads = '#!lua flags=no-writes\nreturn 1'
  const sha = client.run('SCRIPT', 'LOAD', reads) as string
  const library =
    "#!lua name=one\nredis.register_function{function_name='f', callback=function() return 2 end, flags={'no-writes'}}"
  client.run('FUNCTION', 'LOAD', library)
  service.pause.begin('write', service.time.nowMs + 100)
  expect(client.run('EVAL', reads, 0)).toBe(1)
  expect(client.run('EVALSHA', sha, 0)).toBe(1)
  expect(client.run('EVAL_RO', 'return 3', 0)).toBe(3)
  expect(client.run('FCALL', 'f', 0)).toBe(2)
  client.run('MULTI')
  client.run('EVAL', reads, 0)
  expect(client.run('EXEC')).toEqual([1])
  expect(client.run('EVAL', '#!lua\nreturn 4', 0)).toBeUndefined()
  service.time.pass(100)
  expect(client.answer).toBe(4)
})

test('a table that contains itself ends with an error, not with the stack', () => {
  expect(JSON.stringify(evaluate('local a = {} a[1] = a return a'))).toContain('ERR reached lua stack limit')
})

test('RESP3 types come as tables that name them', () => {
  client.run('SET', 'a', '1')
  const script = 'redis.setresp(3) return {tostring(redis.call("GET", "none")), redis.call("GET", "a")}'
  expect(evaluate(script)).toEqual(['nil', '1'])
})

test('what a command fails with ends the script by call, and is a value by pcall', () => {
  client.run('SET', 'k', 'text')
  const message = errorOf(evaluate('\nreturn redis.call("INCR", KEYS[1])', 'k'))
  expect(message).toMatch(/^ERR value is not an integer or out of range script: [\da-f]{40}, on @user_script:2\.$/)
  expect(evaluate('return redis.pcall("INCR", KEYS[1]).err', 'k')).toBe('ERR value is not an integer or out of range')
  expect(errorOf(evaluate('redis.call("NOTHING")'))).toMatch(/^ERR Unknown Redis command called from script/)
  expect(errorOf(evaluate('redis.call("GET")'))).toMatch(/^ERR Wrong number of args calling Redis command/)
  expect(errorOf(evaluate('redis.call("EVAL", "return 1", 0)'))).toMatch(/^ERR This Redis command is not allowed/)
  expect(errorOf(evaluate('redis.call({})'))).toMatch(/^ERR Lua redis lib command arguments must be/)
  expect(errorOf(evaluate('redis.call()'))).toMatch(/^ERR Please specify at least one argument/)
})

test('a script leaves nothing behind for the next: globals and libraries can not be changed', () => {
  const attempts = [
    'x = 1',
    'redis = nil',
    'redis.call = nil',
    'string.format = nil',
    '_G.x = 1',
    'rawset(_G, "x", 1)',
    'rawset(redis, "call", 1)',
    'setmetatable(_G, {})',
    'setmetatable(string, {})',
    'getmetatable(_G).__index = {}',
    'getmetatable(redis).__newindex = nil',
    'loadstring("y = 2")()',
    'coroutine.wrap(function() z = 3 end)()',
  ]
  for (const attempt of attempts) {
    expect(errorOf(evaluate(attempt)), attempt).toMatch(/Attempt to modify a readonly table/)
  }
  for (const name of ['print', 'dofile', 'loadfile', 'require', 'io', 'debug', 'getfenv', 'setfenv', 'newproxy']) {
    expect(errorOf(evaluate(`return ${name}`)), name).toContain(`nonexistent global variable '${name}'`)
  }
  expect(errorOf(evaluate('return loadstring(string.dump(function() return 1 end))()'))).toContain('nil value')
  expect(evaluate('local n = 0 for _ in pairs(redis) do n = n + 1 end return n > 10')).toBe(1)
})

test('pcall, coroutines and errors work as in Lua', () => {
  expect(evaluate('return {pcall(function(a, b) return a + b, "x" end, 1, 2)}')).toEqual([1, 3, 'x'])
  expect(evaluate('return {select(2, pcall(error, {code = 7})).code}')).toEqual([7])
  expect(evaluate('return select(2, xpcall(function() error("bad", 0) end, function(e) return e .. "!" end))')).toBe(
    'bad!',
  )
  const generator = 'local f = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) coroutine.yield(b * 2) end)'
  expect(evaluate(`${generator} return {f(1), f(10)}`)).toEqual([2, 20])
  expect(
    evaluate(
      'local f = coroutine.wrap(function() pcall(function() coroutine.yield(5) end) return 6 end) return {f(), f()}',
    ),
  ).toEqual([5, 6])
})

test('EVALSHA finds what EVAL or SCRIPT LOAD has brought, until SCRIPT FLUSH', () => {
  const sha = client.run('SCRIPT', 'LOAD', 'return "known"') as string
  expect(client.run('EVALSHA', sha.toUpperCase(), 0)).toBe('known')
  expect(client.run('SCRIPT', 'EXISTS', sha, '00')).toEqual([1, 0])
  expect(client.run('SCRIPT', 'FLUSH')).toBe('OK')
  expect(client.run('EVALSHA', sha, 0)).toEqual({ error: 'NOSCRIPT No matching script. Please use EVAL.' })
})

test('a script that may not write is stopped at the first write', () => {
  expect(client.run('EVAL_RO', 'return redis.call("GET", "none")', 0)).toBe(null)
  expect(errorOf(client.run('EVAL_RO', 'return redis.call("SET", "a", 1)', 0))).toMatch(/^ERR Write commands are not/)
  expect(errorOf(evaluate('#!lua flags=no-writes\nreturn redis.call("DEL", "a")'))).toMatch(/^ERR Write commands/)
  expect(errorOf(client.run('EVAL_RO', '#!lua flags=\nreturn 1', 0))).toMatch(
    /^ERR Can not execute a script with write/,
  )
  expect(errorOf(evaluate('#!lua badger=1\nreturn 1'))).toContain('Unknown lua shebang option')
})

test('the libraries of Redis are there: cjson, cmsgpack, struct, bit', () => {
  expect(evaluate('return cjson.encode({a = {1, 2.5, "x/\\"\\n\\127"}})')).toBe('{"a":[1,2.5,"x\\/\\"\\n\\u007f"]}')
  expect(evaluate('return cjson.encode({[1] = 1, [2] = cjson.null, [3] = true})')).toBe('[1,null,true]')
  expect(evaluate('return cjson.decode("{\\"a\\":{\\"b\\":[1,2,3]}}").a.b[3]')).toBe(3)
  expect(evaluate('return cjson.decode("\\"\\\\u00e9\\\\ud83d\\\\ude00\\"")')).toBe(
    Buffer.from('é😀').toString('latin1'),
  )
  expect(errorOf(evaluate('return cjson.decode("[1,")'))).toContain('Expected value but found T_END at character 4')
  expect(errorOf(evaluate('return cjson.encode({[100] = 1})'))).toContain('excessively sparse array')
  expect(evaluate('return {cmsgpack.unpack(cmsgpack.pack(1, -5, "x", {a = {1, 2}}, 2^40))}')).toEqual([
    1,
    -5,
    'x',
    [],
    2 ** 40,
  ])
  expect(evaluate('return {struct.unpack("<hs>I4", struct.pack("<hs>I4", -2, "hi", 70000))}')).toEqual([
    -2,
    'hi',
    70000,
    10,
  ])
  expect(evaluate('return {bit.band(12, 10), bit.lshift(1, 31), bit.rol(1, 0), bit.tohex(255, 4)}')).toEqual([
    8,
    -2147483648,
    1,
    '00ff',
  ])
  expect(errorOf(evaluate('return cmsgpack.unpack("\\221")'))).toContain('Missing bytes in input')
})

test('a script that runs too long goes on in slices: others hear BUSY, and may kill it', async () => {
  service.scripts.busyAfterMs = 5
  const other = service.client()
  for (const script of ['while true do end', 'while true do pcall(function() while true do end end) end']) {
    expect(evaluate(script)).toBeUndefined()
    expect(other.say('GET a')).toEqual({
      error: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    })
    await sleep(30)
    expect(errorOf(other.say('FUNCTION KILL'))).toMatch(/^BUSY/)
    expect(other.say('SCRIPT KILL')).toBe('OK')
    expect(errorOf(client.answer)).toContain('killed by user')
    expect(other.say('GET a')).toBe(null)
  }
  expect(errorOf(other.say('SCRIPT KILL'))).toMatch(/^NOTBUSY/)
})

test('one that has written is not killed half-way, and what waits for its keys is served when it is over', async () => {
  service.scripts.busyAfterMs = 5
  const other = service.client()
  const script = 'redis.call("SET", "k", 1) for i = 1, 4e7 do end redis.call("SET", "k", 2) return "done"'
  expect(evaluate(script)).toBeUndefined()
  expect(errorOf(other.say('SCRIPT KILL'))).toMatch(/^UNKILLABLE/)
  await expect.poll(() => client.answer, { timeout: 20_000 }).toBe('done')
  expect(other.say('GET k')).toBe('2')
})

test('where a script can not be suspended it is ended, and the server lives', () => {
  service.scripts.busyAfterMs = 5
  const endless = 'table.sort({3, 2, 1}, function() while true do end end)'
  expect(errorOf(evaluate(endless))).toContain('ran too long where it can not be suspended')
  expect(client.say('PING')).toBe('PONG')
})

const library = (name: string, body: string) => `#!lua name=${name}\n${body}`

test('functions stay, share what their library has, and are called by name in capitals or not', () => {
  const text = library(
    'lib',
    'local function twice(x) return 2 * x end\nredis.register_function("f", function(keys, args) return {twice(args[1]), keys[1], redis.call("PING").ok} end)',
  )
  expect(client.run('FUNCTION', 'LOAD', text)).toBe('lib')
  expect(client.run('FCALL', 'F', 1, 'k', 21)).toEqual([42, 'k', 'PONG'])
  expect(errorOf(client.run('FUNCTION', 'LOAD', text))).toBe("ERR Library 'lib' already exists")
  expect(client.run('FUNCTION', 'LOAD', 'REPLACE', text)).toBe('lib')
  expect(client.say('FUNCTION LIST LIBRARYNAME l*')).toEqual([
    ['library_name', 'lib', 'engine', 'LUA', 'functions', [['name', 'f', 'description', null, 'flags', []]]],
  ])
  expect(client.say('FUNCTION DELETE lib')).toBe('OK')
  expect(errorOf(client.run('FCALL', 'f', 0))).toBe('ERR Function not found')
})

test('a library that fails to load changes nothing', () => {
  client.run('FUNCTION', 'LOAD', library('one', 'redis.register_function("f", function() return 1 end)'))
  const bad: readonly (readonly [string, RegExp])[] = [
    ['redis.register_function("f", function() return 2 end)', /Function f already exists/],
    ['redis.register_function("g", 5)', /second argument to redis.register_function must be a function/],
    ['redis.register_function("g", function() end) redis.register_function("g", function() end)', /already exists in/],
    ['return 1', /No functions registered/],
    ['x = 1', /Attempt to modify a readonly table/],
    ['redis.call("PING")', /nonexistent global variable 'call'/],
    ['return math.random()', /nonexistent global variable 'math'/],
    ['while true do end', /FUNCTION LOAD timeout/],
    ['not lua', /Error compiling function/],
    ['redis.register_function{function_name = "g", callback = function() end, flags = {"none"}}', /unknown flag given/],
  ]
  for (const [body, message] of bad) {
    expect(errorOf(client.run('FUNCTION', 'LOAD', library('two', body))), body).toMatch(message)
  }
  expect(client.run('FCALL', 'f', 0)).toBe(1)
  expect(client.say('FUNCTION STATS')).toEqual([
    'running_script',
    null,
    'engines',
    ['LUA', ['libraries_count', 1, 'functions_count', 1]],
  ])
})

test('FUNCTION DUMP and RESTORE: all libraries or none come back', () => {
  client.run('FUNCTION', 'LOAD', library('one', 'redis.register_function("f", function() return 1 end)'))
  const payload = client.say('FUNCTION DUMP') as string
  expect(errorOf(client.run('FUNCTION', 'RESTORE', payload))).toBe('ERR Library one already exists')
  client.run('FUNCTION', 'LOAD', 'REPLACE', library('one', 'redis.register_function("f", function() return 2 end)'))
  expect(client.run('FUNCTION', 'RESTORE', payload, 'REPLACE')).toBe('OK')
  expect(client.run('FCALL', 'f', 0)).toBe(1)
  expect(client.say('FUNCTION FLUSH')).toBe('OK')
  client.run('FUNCTION', 'LOAD', library('two', 'redis.register_function("f", function() return 3 end)'))
  expect(errorOf(client.run('FUNCTION', 'RESTORE', payload))).toBe('ERR Function f already exists')
  expect(client.run('FCALL', 'f', 0)).toBe(3)
  expect(client.run('FUNCTION', 'RESTORE', payload, 'FLUSH')).toBe('OK')
  expect(client.run('FCALL', 'f', 0)).toBe(1)
  const broken = `${payload.slice(0, 3)}x${payload.slice(4)}`
  expect(errorOf(client.run('FUNCTION', 'RESTORE', broken))).toContain('payload version or checksum are wrong')
})
