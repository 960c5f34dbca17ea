import { expect, test } from 'vitest'
import { exposureFaults, isLoopback } from './exposure.ts'

const safe = {
  addresses: ['127.0.0.1', '-::1'],
  plainPorts: [6379, 0],
  tlsPorts: [0],
  mustAuthenticate: false,
  withoutTls: false,
  withoutTokens: false,
}

test('loopback needs nothing', () => {
  expect(exposureFaults(safe)).toEqual([])
  expect(
    ['127.0.0.1', '-127.3.2.1', '::1', '-::1', 'localhost', '::ffff:127.0.0.1'].filter((one) => !isLoopback(one)),
  ).toEqual([])
  expect(['0.0.0.0', '*', '::', '10.0.0.1', '127.example.org', '-::*', '128.0.0.1', ''].filter(isLoopback)).toEqual([])
})

test('beyond it both are demanded, unless both are given up', () => {
  const open = { ...safe, addresses: ['127.0.0.1', '*'] }
  const faults = exposureFaults(open)
  expect(faults).toHaveLength(2)
  expect(faults[0]).toMatch(/port 6379 on \* is without TLS.*--without-tls/)
  expect(faults[1]).toMatch(/on \* anyone may read.*--without-tokens/)
  expect(exposureFaults({ ...open, withoutTls: true })).toEqual([faults[1]])
  expect(exposureFaults({ ...open, withoutTokens: true })).toEqual([faults[0]])
  expect(exposureFaults({ ...open, withoutTls: true, withoutTokens: true })).toEqual([])
  expect(exposureFaults({ ...open, plainPorts: [0], tlsPorts: [6380], mustAuthenticate: true })).toEqual([])
  expect(exposureFaults({ ...open, plainPorts: [6379], tlsPorts: [6380], mustAuthenticate: true })).toEqual([faults[0]])
  expect(exposureFaults({ ...open, plainPorts: [0] })).toEqual([])
})
