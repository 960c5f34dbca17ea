import { describe, expect, test } from 'vitest'
import type { StoreRecord } from '../core/store.ts'
import { aged, newMark, readText, recordText, tombstoneText } from './record-form.ts'

const record: StoreRecord = { value: 'value', freshMs: 100, keepMs: 200, tags: [['', 'v1']] }

describe('what a text says', () => {
  test('a tombstone, and one that is held', () => {
    const mark = newMark()
    expect(readText(tombstoneText(mark, false))).toEqual({ mark, held: false })
    expect(readText(tombstoneText(mark, true))).toEqual({ mark, held: true })
  })

  test.each([
    ['as it is', record],
    ['with an etag', { ...record, etag: 'W/"1"' }],
    ['that lives for ever', { ...record, freshMs: Number.POSITIVE_INFINITY, keepMs: Number.POSITIVE_INFINITY }],
    ['without tags', { ...record, tags: [] }],
    ['with tags of any text', { ...record, tags: [['a\nb', '!2'], ['\ud800', '"']] as const }], // biome-ignore format: one line
    ['with an empty value', { ...record, value: '' }],
    ['with lines and signs', { ...record, value: '\n\0\r\n"ü€😀' }],
    ['with broken Unicode', { ...record, value: 'a\ud800b\udc00' }],
  ])('a record %s', (_, given) => {
    const mark = newMark()
    const bytes = Buffer.from(recordText(mark, given)) // as it travels
    expect(readText(bytes.toString())).toEqual({ mark, record: given })
  })

  test.each([
    '',
    'hello',
    '2r0123456789abcdef[1,2,[]]\nvalue',
    '1r0123456789abcdef[1,2',
    '1t0123',
    '1x0123456789abcdef',
    '1r0123456789abcdef{}\nvalue',
    '1r0123456789abcdef["1",2,[]]\nvalue',
    '1r0123456789abcdef[1,2,null]\nvalue',
    '1r0123456789abcdef[1,2,5]\nvalue',
    '1r0123456789abcdef[1,2,[5]]\nvalue',
    '1r0123456789abcdef[1,2,[[5,"v"]]]\nvalue',
    '1R0123456789abcdef[1,2,[]]\n5',
  ])('%j is in no form that we read', (text) => {
    expect(readText(text)).toBeUndefined()
  })

  test('a record ages', () => {
    expect(aged(record, 30)).toEqual({ ...record, freshMs: 70, keepMs: 170 })
    expect(aged(record, 150)).toEqual({ ...record, freshMs: 0, keepMs: 50 })
    const forever = { ...record, freshMs: Number.POSITIVE_INFINITY, keepMs: Number.POSITIVE_INFINITY }
    expect(aged(forever, 150)).toEqual(forever)
  })
})
