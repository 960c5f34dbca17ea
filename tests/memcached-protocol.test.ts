import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { page } from '../tools/memcached-protocol.ts'

test('docs/memcached-protocol.md says what the commands say: run tools/memcached-protocol.ts', () => {
  const written = readFileSync(new URL('../docs/memcached-protocol.md', import.meta.url), 'utf8')
  expect(written).toBe(page())
  expect(written.match(/^\| `get key \[key \.\.\.\]` \| `GET` \|/gm)).toHaveLength(1)
  expect(written.match(/^\| \w+.* \(0x[\da-f]{2}/gm)!.length).toBeGreaterThan(20)
})
