import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startMongoWorld } from '../../../tools/servers/mongo-world.ts'
import { tellStory } from './story.ts'

const world = await startMongoWorld()
afterAll(() => world.close())

test('the story goes as promised', { timeout: 120_000 }, async () => {
  const lines: string[] = []
  expect(await tellStory(world.url, (line) => lines.push(line)), lines.join('\n')).toBe(true)
  expect(lines).toEqual([
    '1000 readers ask for the same quotes at once: the server is asked once',
    'somebody adds a quote of another symbol: the server is asked not at all',
    'somebody adds a quote of this one: it is there (25 quotes, now 26)',
    'and for that the server was asked once',
  ])
})

test('--once tells it one time, says which MongoDB it was, and ends', () => {
  const main = join(import.meta.dirname, 'main.ts')
  const args = ['--conditions=@millpond/source', '--import', 'tsx', main, '--once']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^MongoDB: .*\n/)
  expect(stdout).toContain('✓ as promised')
}, 150_000)
