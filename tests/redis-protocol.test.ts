import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { page } from '../tools/redis-protocol.ts'

test('docs/redis-protocol.md says what the commands say: run tools/redis-protocol.ts', () => {
  const written = readFileSync(new URL('../docs/redis-protocol.md', import.meta.url), 'utf8')
  expect(written).toBe(page())
  expect(written.match(/^\| `GET` \| yes \|/gm)).toHaveLength(1)
  expect(written.match(/\| refused \|/g)!.length).toBeGreaterThan(5)
})
