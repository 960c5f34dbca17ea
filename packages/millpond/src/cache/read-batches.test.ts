import { expect, test } from 'vitest'
import { ReadBatches, same } from './read-batches.ts'

function setup(isAway = false) {
  const asked: string[] = []
  const batches = new ReadBatches(async (keys, tags) => {
    asked.push(`${keys.length} ${tags.length}`)
    if (isAway) return undefined
    return {
      entries: keys.map((key) => ({ mark: `mark of ${key}` })),
      versions: tags.map((tag) => `version of ${tag}`),
    }
  })
  return { asked, batches }
}

test('what is asked for in one tick travels together, each name once, and everyone gets the own part', async () => {
  const { asked, batches } = setup()
  const answers = await Promise.all([
    batches.ask('a', ['t', 'u'], same),
    batches.ask(undefined, ['u'], same),
    batches.ask('b', ['u', 't'], same),
    batches.ask('a', [], same),
  ])
  expect(answers).toEqual([
    { entry: { mark: 'mark of a' }, versions: ['version of t', 'version of u'] },
    { entry: undefined, versions: ['version of u'] },
    { entry: { mark: 'mark of b' }, versions: ['version of u', 'version of t'] },
    { entry: { mark: 'mark of a' }, versions: [] },
  ])
  expect(asked).toEqual(['2 2'])
  await batches.ask('a', [], same)
  expect(asked).toEqual(['2 2', '1 0'])
})

test('more names than a call may have go in several, in their order', async () => {
  const { asked, batches } = setup()
  const tags = Array.from({ length: 1200 }, (_, at) => `${at}`)
  const answer = await batches.ask('a', tags, same)
  expect(answer?.entry).toEqual({ mark: 'mark of a' })
  expect(answer?.versions).toEqual(tags.map((tag) => `version of ${tag}`))
  expect(asked.map((each) => each.split(' ').reduce((sum, count) => sum + Number(count), 0))).toEqual([512, 511, 178])
})

test('a store that does not answer leaves everyone without an answer', async () => {
  const { batches } = setup(true)
  expect(await Promise.all([batches.ask('a', ['t'], same), batches.ask(undefined, ['u'], same)])).toEqual([
    undefined,
    undefined,
  ])
})
