import { expect, test } from 'vitest'
import { HyperLogLog } from '../../engine/hyper-log-log.ts'
import { TestService } from '../testing.ts'

test('counts are within the error that is promised, from few to many', () => {
  for (const size of [1, 10, 100, 1000, 10_000, 100_000]) {
    const sketch = new HyperLogLog()
    for (let at = 0; at < size; at++) sketch.add(Buffer.from(`element ${at}`))
    for (let at = 0; at < size; at += 3) expect(sketch.add(Buffer.from(`element ${at}`))).toBe(false)
    expect(Math.abs(sketch.count() - size) / size).toBeLessThan(0.035)
  }
})

test('what is written is read again, and merging counts what either has seen', () => {
  const one = new HyperLogLog()
  const other = new HyperLogLog()
  for (let at = 0; at < 2000; at++) (at % 2 === 0 ? one : other).add(Buffer.from(String(at)))
  const [read, runs] = [HyperLogLog.from(one.toBytes(0)), HyperLogLog.from(one.toBytes(12_000))]
  expect([read.isDense, runs.isDense]).toEqual([true, false])
  expect(read.registers).toEqual(one.registers)
  expect(runs.registers).toEqual(one.registers)
  read.merge(other)
  expect(Math.abs(read.count() - 2000)).toBeLessThan(70)
})

test('commands keep the expiry, tell whether anything changed, and refuse other strings', () => {
  const client = new TestService().client()
  expect(client.say('PFADD p a b c')).toBe(1)
  expect(client.say('PFADD p a')).toBe(0)
  expect(client.say('PFCOUNT p')).toBe(3)
  client.say('EXPIRE p 100')
  client.say('PFADD p d')
  expect(client.say('TTL p')).toBe(100)
  expect(client.say('PFADD q c d e')).toBe(1)
  expect(client.say('PFCOUNT p q')).toBe(5)
  expect(client.say('PFMERGE both p q')).toBe('OK')
  expect(client.say('PFCOUNT both')).toBe(5)
  client.say('SET text abc')
  expect(client.say('PFADD text a')).toEqual({ error: 'WRONGTYPE Key is not a valid HyperLogLog string value.' })
})

test('few elements take few bytes, and what was counted is known until something changes', () => {
  const client = new TestService().client()
  const known = (): boolean => ((client.say('GETRANGE p 15 15') as string).charCodeAt(0) & 0x80) === 0
  client.say('PFADD p a b c')
  expect(client.say('STRLEN p')).toBeLessThan(40)
  expect(known()).toBe(false)
  expect(client.say('PFCOUNT p')).toBe(3)
  expect(known()).toBe(true)
  client.say('PFADD p a b c')
  expect([known(), client.say('PFCOUNT p')]).toEqual([true, 3])
  client.say('PFADD p d')
  expect([known(), client.say('PFCOUNT p')]).toEqual([false, 4])
  client.say('APPEND p hello')
  expect(client.say('PFCOUNT p')).toMatchObject({ error: expect.stringContaining('INVALIDOBJ') })
  for (let at = 0; at < 5000; at++) client.run('PFADD', 'q', String(at))
  expect(client.say('STRLEN q')).toBe(16 + 12_288)
})
