import { expect, test } from 'vitest'
import { Operations } from './operations.ts'
import { commandOf, stressSettings } from './settings.ts'

test('knobs that are not given are as the list says, and smaller under --quick', () => {
  expect(stressSettings({}, false)).toMatchObject({ duration: 60, cluster: 5, entries: 200, tantrum: 0 })
  expect(stressSettings({ cluster: '4' }, true)).toMatchObject({ duration: 5, cluster: 4 })
})

test('a knob that cannot be used is named', () => {
  expect(() => stressSettings({ tantrum: 'some' }, false)).toThrow('--tantrum some: give a whole number from 0 to 90')
  expect(() => stressSettings({ 'size-mix': '4' }, false)).toThrow('--size-mix 4')
})

test('the command that is printed gives the same settings', () => {
  const settings = stressSettings({ seed: '7', 'sleep-span': '3', tantrum: '10' }, true)
  const words = commandOf(settings).split(' ').slice(5)
  const options = Object.fromEntries(
    words.filter((_, at) => at % 2 === 0).map((word, at) => [word.slice(2), words[2 * at + 1]]),
  )
  expect(stressSettings(options, false)).toEqual(settings)
})

test('operations have the mix of McCache, and are counted by what they did', async () => {
  const map = new Map<string, string>()
  const settings = { ...stressSettings({}, true), sleepSpan: 0, duration: 1, sizeMix: 3 as const }
  let state = 1
  const counts = await new Operations(
    map,
    settings,
    'peer-0',
    () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647,
  ).run()
  const all = Object.values(counts).reduce((sum, each) => sum + each, 0)
  expect(counts.get / all).toBeCloseTo(0.55, 1)
  expect(counts.delete / all).toBeCloseTo(0.05, 1)
  expect(map.size).toBe(counts.insert - counts.delete)
  expect(Math.max(...[...map.values()].map(({ length }) => length))).toBeGreaterThan(2000)
})
