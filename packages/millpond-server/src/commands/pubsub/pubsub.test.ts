import { expect, test } from 'vitest'
import { TestService } from '../testing.ts'

function start() {
  const service = new TestService()
  const [one, two] = [service.client(), service.client()]
  return { service, one, two }
}

test('messages reach who listens, by name and by pattern, once each', () => {
  const { one, two } = start()
  expect(one.say('subscribe news')).toEqual({ push: ['subscribe', 'news', 1] })
  expect(one.say('psubscribe n*')).toEqual({ push: ['psubscribe', 'n*', 2] })
  expect(two.say('publish news hello')).toBe(2)
  expect(one.pushed).toEqual([{ push: ['message', 'news', 'hello'] }, { push: ['pmessage', 'n*', 'news', 'hello'] }])
  expect(two.say('publish other hello')).toBe(0)
})

test('sharded channels have a space of their own', () => {
  const { one, two } = start()
  one.say('ssubscribe news')
  expect(two.say('publish news a')).toBe(0)
  expect(two.say('spublish news b')).toBe(1)
  expect(one.pushed).toEqual([{ push: ['smessage', 'news', 'b'] }])
  expect(two.say('pubsub shardnumsub news none')).toEqual(['news', 1, 'none', 0])
})

test('who listens in RESP2 may say little, until it listens no more', () => {
  const { one, service } = start()
  one.say('subscribe news')
  expect(one.say('get a')).toMatchObject({ error: expect.stringContaining("Can't execute 'get'") })
  expect(one.say('ping')).toEqual(['pong', ''])
  expect(one.say('unsubscribe')).toEqual({ push: ['unsubscribe', 'news', 0] })
  expect(one.say('get a')).toBe(null)
  one.say('subscribe news')
  one.leave()
  expect(service.channels.names('channel')).toEqual([])
})

test('keyspace events tell what was switched on, and cost nothing before', () => {
  const { service, one, two } = start()
  expect(service.notifications.active).toBe(false)
  two.say('config set notify-keyspace-events K$g')
  expect(two.say('config get notify-keyspace-events')).toEqual(['notify-keyspace-events', 'g$K'])
  one.say('psubscribe __key*')
  two.say('set a 1')
  two.say('del a')
  expect(one.pushed).toEqual([
    { push: ['pmessage', '__key*', '__keyspace@0__:a', 'set'] },
    { push: ['pmessage', '__key*', '__keyspace@0__:a', 'del'] },
  ])
})

test('keyspace events tell of new keys, before what made them, where that was switched on', () => {
  const { one, two } = start()
  two.say('config set notify-keyspace-events En$')
  one.say('psubscribe *')
  for (const line of ['set a 1', 'set a 22', 'append b 1', 'lpush list 1', 'lpush list 2', 'rename b c']) two.say(line)
  expect(one.pushed).toEqual(
    ['new a', 'set a', 'set a', 'new b', 'append b', 'new list', 'new c'].map((told) => {
      const [event, key] = told.split(' ') as [string, string]
      return { push: ['pmessage', '*', `__keyevent@0__:${event}`, key] }
    }),
  )
})
