import { expect, test } from 'vitest'
import { Channels } from '../pubsub/channels.ts'
import { type Answer, type TestClient, TestService } from '../testing.ts'
import { Topic } from './topic.ts'

const PAGE = 1_700_000_000_000

function start() {
  const service = new TestService()
  const [one, two] = [service.client(), service.client()]
  one.say('hello 3')
  return { service, one, two }
}

/** What READ answers. */
function news(page: number, next: number, gap: Answer, ...messages: readonly Answer[]): Answer {
  return ['page', page, 'next', next, 'gap', gap, 'messages', messages]
}

function message(name: string, number: number, text: string, page = PAGE): Answer {
  return { push: ['topic', name, page, number, text] }
}

test('a channel has numbers from its first use as a topic on, by whatever it is published', () => {
  const { one, two } = start()
  two.say('publish news before')
  expect(one.say('topic subscribe news')).toEqual(['page', PAGE, 'next', 1])
  expect(two.say('publish news a')).toBe(1)
  expect(two.say('topic publish news b')).toEqual(['page', PAGE, 'number', 2, 'receivers', 1])
  expect(one.pushed).toEqual([message('news', 1, 'a'), message('news', 2, 'b')])
  expect(two.say('publish other x')).toBe(0)
  expect(two.say('topic info other')).toMatchObject({ error: expect.stringContaining('no such topic') })
})

test('who listens to the channel, and who to the topic, hear each other', () => {
  const { one, two } = start()
  one.say('topic subscribe news')
  two.say('subscribe news')
  two.say('hello 3')
  expect(one.say('topic publish news hi')).toEqual(['page', PAGE, 'number', 1, 'receivers', 2])
  expect(two.pushed).toEqual([{ push: ['message', 'news', 'hi'] }])
  expect(one.pushed).toEqual([message('news', 1, 'hi')])
})

test('who was away goes on where it stopped, and is told what is missing', () => {
  const { one, two } = start()
  for (const text of ['a', 'b', 'c']) two.say(`topic publish news ${text}`)
  expect(one.say(`topic subscribe news resume ${PAGE} 2`)).toEqual(['page', PAGE, 'next', 2])
  expect(one.pushed.splice(0)).toEqual([message('news', 2, 'b'), message('news', 3, 'c')])
  expect(one.say('topic unsubscribe news')).toBe(1)
  expect(one.say('topic unsubscribe')).toBe(0)
  two.say('topic publish news d')
  expect(one.pushed).toEqual([])
  one.say(`topic subscribe news resume ${PAGE - 5} 100`)
  expect(one.pushed.splice(0)).toEqual([
    { push: ['topic-gap', 'news', PAGE, 99, 1] },
    ...['a', 'b', 'c', 'd'].map((text, at) => message('news', at + 1, text)),
  ])
  one.say('topic unsubscribe')
  one.say(`topic subscribe news resume ${PAGE} 9`)
  expect(one.pushed).toEqual([{ push: ['topic-gap', 'news', PAGE, 8, 5] }])
})

test('READ polls: at once what is there, later what comes, at the end of its time nothing', () => {
  const { service, one, two } = start()
  expect(two.say('topic read news')).toEqual(news(PAGE, 1, null))
  for (const text of ['a', 'b', 'c']) one.say(`publish news ${text}`)
  expect(two.say(`topic read news from ${PAGE} 2`)).toEqual(news(PAGE, 4, null, [2, 'b'], [3, 'c']))
  expect(two.say('topic read news from 0 1 count 2')).toEqual(news(PAGE, 3, null, [1, 'a'], [2, 'b']))
  expect(two.say('topic read news from 7 1')).toEqual(news(PAGE, 4, [0, 1], [1, 'a'], [2, 'b'], [3, 'c']))
  expect(two.say(`topic read news from ${PAGE} 4 block 1000`)).toBe(undefined)
  one.say('publish news d')
  expect(two.answer).toEqual(news(PAGE, 5, null, [4, 'd']))
  expect(two.say('topic read news block 1000')).toBe(undefined)
  service.time.pass(1000)
  expect(two.answer).toEqual(news(PAGE, 5, null))
  two.say('multi')
  two.say('topic read news block 0')
  expect(two.say('exec')).toEqual([news(PAGE, 5, null)])
})

test('a reader that is gone is not answered', () => {
  const { service, one, two } = start()
  two.say('topic read news block 0')
  two.leave()
  expect(one.say('publish news a')).toBe(0)
  expect(two.answer).toBe(undefined)
  expect(service.waiters.count).toBe(0)
})

test('a transaction that publishes wakes readers, each message once', () => {
  const { one, two } = start()
  two.say('topic read news block 0')
  for (const line of ['multi', 'publish news a', 'publish news b', 'exec']) one.say(line)
  expect(two.answer).toEqual(news(PAGE, 2, null, [1, 'a']))
  expect(two.say(`topic read news from ${PAGE} 2 block 0`)).toEqual(news(PAGE, 3, null, [2, 'b']))
})

test('what cannot be is refused', () => {
  const { one, two } = start()
  const refusal = (client: TestClient, line: string) => (client.say(line) as { error: string }).error
  expect(refusal(two, 'topic subscribe news')).toContain('RESP3')
  expect(refusal(one, 'topic subscribe news resume 1')).toBe('ERR syntax error')
  expect(refusal(one, 'topic subscribe news resume 1 -1')).toContain('whole numbers')
  expect(refusal(one, 'topic read news from x 1')).toContain('whole numbers')
  expect(refusal(one, 'topic read news block -1')).toContain('negative')
  expect(refusal(one, 'topic read news every 1')).toBe('ERR syntax error')
})

test('a user may use the topics of its channels alone, and is cut off from those that it may no longer hear', () => {
  const { one, two } = start()
  two.say('acl setuser ann on nopass +@all ~* &news*')
  one.say('auth ann x')
  for (const line of ['topic subscribe other', 'topic read other', 'topic publish other x', 'topic info other']) {
    expect(one.say(line), line).toMatchObject({ error: expect.stringContaining('NOPERM') })
  }
  one.say('topic subscribe news1')
  two.say('acl setuser ann resetchannels &news2')
  expect(one.closed).toBe(true)
})

test('a topic keeps its last 1024 messages', () => {
  const topic = new Topic('news', PAGE)
  for (let number = 1; number <= 3000; number++) topic.append(`m${number}`)
  const { messages, gap, next } = topic.from(1, PAGE)
  expect(gap).toEqual({ last: 0, next: 1977 })
  expect(messages).toHaveLength(1024)
  expect([messages[0], messages.at(-1)]).toEqual([
    { number: 1977, message: 'm1977' },
    { number: 3000, message: 'm3000' },
  ])
  expect(next).toBe(3001)
})

test('all topics together are bounded: the longest silent lose their messages, and begin a new page if nobody listens', () => {
  const { topics } = new Channels()
  const message = 'm'.repeat(100_000)
  for (let name = 0; name < 400; name++) {
    topics.open(`topic${name}`, PAGE)
    topics.append(`topic${name}`, message)
  }
  expect(topics.bytes).toBeLessThan(16.1 * 2 ** 20)
  expect(topics.named('topic0')).toBe(undefined)
  expect(topics.named('topic399')?.next).toBe(2)
  expect(topics.open('topic0', PAGE).page).toBe(PAGE + 400)
  for (let name = 0; name < 30_000; name++) topics.open(`empty${name}`, PAGE)
  expect(topics.count).toBeLessThanOrEqual(10_001)
  const channels = new Channels()
  const { one } = start()
  channels.topics.open('heard', PAGE)
  channels.listen(one, 'topic', 'heard')
  for (let name = 0; name < 30_000; name++) channels.topics.open(`empty${name}`, PAGE)
  expect(channels.topics.named('heard')?.page).toBe(PAGE)
})
