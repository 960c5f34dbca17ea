import { expect, test } from 'vitest'
import { startHttp } from './http.fixture.ts'

interface Polled {
  readonly items: readonly object[]
  readonly sequence_page: number
  readonly next_sequence_number: number
}

function item(page: number, number: number, value: object): object {
  return { item: { topic_sequence_number: number, sequence_page: page, value } }
}

test('a poll waits for a message, published by HTTP or by RESP, and the next one goes on there', async () => {
  const { request, redis, server } = await startHttp()
  const waits = async () => expect.poll(() => server.service.waiters.count).toBe(1)
  const first = request('GET /topics/default/news')
  await waits()
  expect(await request('POST /topics/default/news', 'one')).toMatchObject({ status: 204 })
  const { json } = await first
  const { sequence_page: page } = json as Polled
  expect(json).toEqual({ items: [item(page, 1, { text: 'one' })], sequence_page: page, next_sequence_number: 2 })
  expect(page).toBeGreaterThan(0)
  await redis('publish', 'news', 'two')
  await redis('publish', 'news', 'drei ü')
  const second = await request(`GET /topics/default/news?sequence_page=${page}&sequence_number=2`)
  expect((second.json as Polled).items).toEqual([item(page, 2, { text: 'two' }), item(page, 3, { text: 'drei ü' })])
  const third = request(`GET /topics/default/news?sequence_page=${page}&sequence_number=4`)
  await waits()
  await request('POST /topics/default/news', Uint8Array.of(255, 0, 128))
  expect(((await third).json as Polled).items).toEqual([item(page, 4, { binary: '/wCA' })])
})

test('nothing in time is an empty answer that says where to go on; what is missing is told', async () => {
  const { request } = await startHttp()
  await request('POST /topics/default/news', 'one')
  const { json } = await request('GET /topics/default/news?timeout_seconds=0')
  const { sequence_page: page, ...rest } = json as Polled
  expect(rest).toEqual({ items: [], next_sequence_number: 2 })
  const other = await request(`GET /topics/default/news?sequence_page=${page - 1}&sequence_number=50`)
  expect((other.json as Polled).items).toEqual([
    { discontinuity: { last_topic_sequence: 49, new_topic_sequence: 1, new_sequence_page: page } },
    item(page, 1, { text: 'one' }),
  ])
})

test('who hangs up while it waits leaves nothing behind', async () => {
  const { url, server } = await startHttp()
  const aborting = new AbortController()
  const poll = fetch(`${url}/topics/default/news`, { signal: aborting.signal })
  await expect.poll(() => server.service.waiters.count).toBe(1)
  aborting.abort()
  await expect(poll).rejects.toThrow()
  await expect.poll(() => server.service.waiters.count).toBe(0)
})

test('a server that ends answers who waits', async () => {
  const { request, server } = await startHttp()
  const poll = request('GET /topics/default/news')
  await expect.poll(() => server.service.waiters.count).toBe(1)
  await server.close()
  expect(await poll).toMatchObject({ status: 200, json: { items: [] } })
})

test.each([
  ['GET /topics/default', 404],
  ['PUT /topics/default/news', 405],
  ['GET /topics/default/news?sequence_number=x', 400],
  ['GET /topics/default/news?timeout_seconds=61', 400],
  ['GET /topics/none/news', 404],
])('%s is answered by %i', async (line, status) => {
  const { request } = await startHttp()
  expect((await request(line)).status).toBe(status)
})
