import { expect, test } from 'vitest'
import { TestService } from './testing.ts'

test.each([
  ['GEORADIUSBYMEMBER from a 2 mi STOREDIST to', ['from', 'to']],
  ['GEORADIUSBYMEMBER from a 2 mi STORE to', ['from', 'to']],
  ['GEORADIUS from 1 2 3 m WITHDIST STORE to', ['from', 'to']],
  ['GEORADIUS from 1 2 3 m STORE other STOREDIST another STORE to', ['from', 'to']],
  ['GEORADIUS from 1 2 3 m STORE store', ['from', 'store']],
  ['GEORADIUS_RO from 1 2 3 m', ['from']],
  ['SORT from BY store GET store STORE other STORE to', ['from', 'to']],
  ['XREADGROUP GROUP streams streams COUNT 1 BLOCK 1 NOACK STREAMS from to 0 0', ['from', 'to']],
  ['XREAD COUNT 1 STREAMS streams 0', ['streams']],
])('the keys of %s', (line, keys) => {
  expect(new TestService().client().say(`COMMAND GETKEYS ${line}`)).toEqual(keys)
})

test.each([
  'GEORADIUS own:places 1 2 3 m STORE',
  'GEORADIUS own:places 1 2 3 m STORE own:other STORE',
  'GEORADIUS own:places 1 2 3 m STORE own:other STOREDIST',
  'GEORADIUSBYMEMBER own:places a 3 m STOREDIST',
  'SORT own:list STORE',
  'SORT own:list STORE own:other STORE',
])('nobody stores by %s where he may only read', (line) => {
  const service = new TestService()
  service.client().say('ACL SETUSER ann on nopass ~own:* %R~* +@all')
  const owner = service.client()
  owner.say('SET key value')
  const ann = service.client()
  ann.say('AUTH ann any')
  expect(ann.say(`${line} key`)).toMatchObject({ error: expect.stringContaining('NOPERM') })
  expect(owner.say('GET key')).toBe('value')
  expect(ann.say(`${line} own:key`)).not.toMatchObject({ error: expect.stringContaining('NOPERM') })
})
