import { expect, test } from 'vitest'
import { TestService } from '../testing.ts'

function start(options = '') {
  const service = new TestService()
  const [one, two] = [service.client(), service.client()]
  one.say('hello 3')
  expect(one.say(`client tracking on ${options}`.trim())).toBe('OK')
  return { service, one, two }
}
const invalidate = (...keys: string[]) => ({ push: ['invalidate', keys] })

test('who has read a key hears of its change, once', () => {
  const { one, two } = start()
  one.say('get a')
  two.say('set a 1')
  two.say('set a 2')
  expect(one.pushed).toEqual([invalidate('a')])
})

test('OPTIN: only what CLIENT CACHING YES was said for', () => {
  const { one, two } = start('optin')
  one.say('get a')
  one.say('client caching yes')
  one.say('get b')
  one.say('get c')
  for (const key of ['a', 'b', 'c']) two.say(`set ${key} 1`)
  expect(one.pushed).toEqual([invalidate('b')])
})

test('NOLOOP: not of own changes', () => {
  const { one, two } = start('noloop')
  one.say('get a')
  one.say('set a 1')
  one.say('get a')
  two.say('set a 2')
  expect(one.pushed).toEqual([invalidate('a')])
})

test('BCAST: all keys with a prefix, told together when a batch is over', () => {
  const { service, one, two } = start('bcast prefix trade: prefix user:')
  for (const key of ['trade:1', 'other', 'trade:2']) two.say(`set ${key} 1`)
  expect(one.pushed).toEqual([])
  service.endBatch()
  expect(one.pushed).toEqual([invalidate('trade:1', 'trade:2')])
})

test('a RESP2 client hears in a channel of whom it redirects to', () => {
  const service = new TestService()
  const [one, two, ear] = [service.client(), service.client(), service.client()]
  ear.say('subscribe __redis__:invalidate')
  one.say(`client tracking on redirect ${ear.id}`)
  one.say('get a')
  two.say('set a 1')
  expect(ear.pushed).toEqual([{ push: ['message', '__redis__:invalidate', ['a']] }])
  ear.leave()
  one.say('get a')
  two.say('set a 1')
  expect(one.say('client trackinginfo')).toContainEqual(['on', 'broken_redirect'])
})

test('above its bound keys are let go of, and who has read them is told', () => {
  const { service, one } = start()
  service.configuration.set([['tracking-table-max-keys', '2']])
  for (const key of ['a', 'b', 'c']) one.say(`get ${key}`)
  expect(service.tracking.keyCount).toBe(2)
  expect(one.pushed).toEqual([invalidate('a')])
  service.configuration.set([['tracking-table-max-keys', '1']])
  expect(one.pushed).toEqual([invalidate('a'), invalidate('b')])
})
