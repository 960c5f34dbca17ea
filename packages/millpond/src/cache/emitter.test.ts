import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { Emitter } from './emitter.ts'

test('every listener of a name is told until it leaves, and no other', () => {
  const emitter = new Emitter('shop', silentLogger)
  const told: string[] = []
  const leave = emitter.on('miss', ({ key }) => told.push(`one ${key}`))
  emitter.on('miss', ({ key }) => told.push(`two ${key}`))
  emitter.on('set', ({ key }) => told.push(`set ${key}`))
  emitter.emit('miss', { key: 'a' })
  leave()
  emitter.emit('miss', { key: 'b' })
  expect(told).toEqual(['one a', 'two a', 'two b'])
})

test('a hit that nobody hears is known as such', () => {
  const emitter = new Emitter('shop', silentLogger)
  expect(emitter.hearsHits).toBe(false)
  const leave = emitter.on('hit', () => {})
  expect(emitter.hearsHits).toBe(true)
  leave()
  expect(emitter.hearsHits).toBe(false)
  const hear = (): void => {}
  subscribe('millpond:hit', hear)
  expect(emitter.hearsHits).toBe(true)
  unsubscribe('millpond:hit', hear)
  expect(emitter.hearsHits).toBe(false)
})

test('diagnostics channels carry the name of the cache', () => {
  const emitter = new Emitter('shop', silentLogger)
  const heard: unknown[] = []
  const hear = (message: unknown): void => void heard.push(message)
  subscribe('millpond:busGap', hear)
  emitter.emit('busGap', {})
  unsubscribe('millpond:busGap', hear)
  emitter.emit('busGap', {})
  expect(heard).toEqual([{ cache: 'shop' }])
})

test('a listener that throws is reported, and the others are told', () => {
  const reports: object[] = []
  const emitter = new Emitter('shop', { warn() {}, error: (details) => reports.push(details) })
  const error = new Error('in the listener')
  const told: string[] = []
  emitter.on('set', () => {
    throw error
  })
  emitter.on('set', ({ key }) => told.push(key))
  emitter.emit('set', { key: 'a' })
  expect(reports).toEqual([{ error, event: 'set', cache: 'shop' }])
  expect(told).toEqual(['a'])
})
