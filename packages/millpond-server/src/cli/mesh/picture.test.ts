import { expect, test } from 'vitest'
import { picture, summary } from './picture.ts'
import { exitCodeOf } from './status.ts'
import type { Survey, SurveyedPeer } from './survey.ts'

const peer = (name: string, parts: Partial<SurveyedPeer> = {}): SurveyedPeer => ({
  id: 1,
  name,
  address: '10.0.0.1:47101',
  state: 'alive',
  slow: false,
  roundTripMs: 0.1234,
  answerMs: 12.34,
  answers: true,
  observes: false,
  alive: 1,
  missed: 0,
  lost: 0,
  ...parts,
})
const entry = (name: string, size: number, checksum: string) => ({ peer: name, size, checksum, written: 1 })

const differing: Survey = {
  mesh: 'shop',
  equal: false,
  peers: [
    peer('web-1', { slow: true, missed: 12_345 }),
    peer('web-2', {
      answers: false,
      roundTripMs: undefined,
      answerMs: undefined,
      alive: undefined,
      missed: undefined,
      lost: undefined,
    }),
    peer('visitor', { observes: true }),
  ],
  maps: [
    { name: 'prices', sync: 'full', equal: false, peers: [entry('web-1', 1500, 'aa'), entry('web-3', 0, '')] },
    { name: 'stock', sync: 'part', equal: true, peers: [entry('web-1', 2, 'bb'), entry('web-3', 2, 'bb')] },
  ],
}

test('a picture has every member and map in columns, and what is wrong in words', () => {
  expect(picture(differing)).toEqual([
    'shop: 2 peers, 2 maps, NOT EQUAL',
    '',
    '  peer   state        address         round trip  answer   sees  missed  lost',
    '  web-1  alive, slow  10.0.0.1:47101  0.12 ms     12.3 ms     1  12,345     0',
    '  web-2  no answer    10.0.0.1:47101  -           -           -       -     -',
    '',
    '  map     sync  peer    size  written  checksum',
    '  prices  full  web-1  1,500        1  aa        differs',
    '                web-3      0        1  -         differs',
    '  stock   part  web-1      2        1  bb',
    '                web-3      2        1  bb',
  ])
})

test('a summary is one line, without visitors', () => {
  expect(summary(differing)).toBe('shop: web-1 web-2 | prices 0 to 1500 | stock 2 | NOT EQUAL')
  expect(summary({ ...differing, peers: [], maps: [] })).toBe('shop: nobody')
})

test('the exit code of status tells equal, different, and nobody who answers', () => {
  expect(exitCodeOf({ ...differing, equal: true })).toBe(0)
  expect(exitCodeOf(differing)).toBe(3)
  expect(exitCodeOf({ ...differing, equal: true, maps: [], peers: differing.peers.slice(1) })).toBe(1)
})
