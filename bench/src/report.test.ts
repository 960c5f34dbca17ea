import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { machine } from './machine.ts'
import { reportJson } from './report.ts'
import { atMost, row } from './suite.ts'

it('has name, value and unit of each row, and a verdict where there is a target', () => {
  const rows = [row('a / b', { median: 1.5, low: 1.4, high: 1.6 }, 'times', atMost(1.25)), row('loads', 3, 'loads')]
  const on = { node: 'v20.19.0', cpu: 'a cpu', cores: 2, platform: 'linux x64' }
  expect(JSON.parse(reportJson('race', on, rows))).toEqual({
    suite: 'race',
    machine: on,
    rows: [
      { name: 'a / b', value: 1.5, unit: 'times', target: '<= 1.25', pass: false },
      { name: 'loads', value: 3, unit: 'loads' },
    ],
  })
})

it('says what machine it was, and not which one', () => {
  const on = machine()
  expect(Object.keys(on)).toEqual(['node', 'cpu', 'cores', 'platform'])
  expect(on).toMatchObject({ node: process.version, platform: `${process.platform} ${process.arch}` })
  expect(JSON.stringify(on)).not.toContain(hostname())
})
