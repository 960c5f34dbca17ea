import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { bar, median, milliseconds, Terminal } from './terminal.ts'

test('a bar is as long as its share, and never empty', () => {
  expect(bar(1, 4)).toBe('████')
  expect(bar(0.5, 4)).toBe('██')
  expect(bar(0.6, 4)).toBe('██▍')
  expect(bar(0.0001, 4)).toBe('▏')
  expect(bar(7, 4)).toBe('████')
})

test('a median and its unit', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect([0.123, 9.999, 12, 1234.5].map(milliseconds)).toEqual(['0.12 ms', '10.0 ms', '12.0 ms', '1,235 ms'])
})

test('colours are for terminals whose user has not said no', () => {
  expect(terminal({ isTTY: true }).paint('red', 'x')).toBe('\u001b[31mx\u001b[39m')
  expect(terminal({ isTTY: true }, { NO_COLOR: '1' }).paint('red', 'x')).toBe('x')
  expect(terminal({ isTTY: true }, { TERM: 'dumb' }).paint('red', 'x')).toBe('x')
  expect(terminal({ isTTY: false }).paint('red', 'x')).toBe('x')
})

test('progress is drawn over in a terminal, and one plain line elsewhere', () => {
  const shares = [0.1, 0.3, 0.6, 0.9, 1]
  const drawn = terminal({ isTTY: true }, { NO_COLOR: '1' })
  for (const share of shares) drawn.progress('trades', share)
  expect(drawn.text().split('\r').slice(-2)).toEqual([
    `trades ${'█'.repeat(21)}▋░░ 90 %`,
    `trades ${'█'.repeat(24)} 100 %\n`,
  ])
  const plain = terminal({ isTTY: false })
  for (const share of shares) plain.progress('trades', share)
  expect(plain.text()).toBe('trades 30 % 60 % 90 % 100 %\n')
})

function terminal({ isTTY }: { isTTY: boolean }, env: NodeJS.ProcessEnv = {}): Terminal & { text(): string } {
  const out = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY }) as unknown as NodeJS.WriteStream
  return Object.assign(new Terminal(out, env), { text: () => String(out.read() ?? '') })
}
