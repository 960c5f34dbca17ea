import { afterEach, expect, it } from 'vitest'
import { type Contender, closeAll } from './alternate.ts'
import { childContender } from './child.ts'

const module = new URL('./child.fixture.ts', import.meta.url)
const started: Contender[] = []
const start = async (argument: unknown): Promise<Contender> => {
  const contender = await childContender({ name: 'fixture', module, argument })
  started.push(contender)
  return contender
}

afterEach(() => closeAll(started.splice(0)))

it('takes turns in a process of its own, which ends when it is closed', async () => {
  const contender = await start({ step: 5 })
  const first = await contender.turn()
  expect(first).toMatchObject({ figure: 5 })
  expect(await contender.turn()).toMatchObject({ figure: 10 })
  const { pid } = first as { pid: number }
  expect(pid).not.toBe(process.pid)
  await contender.close?.()
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
})

it('says what went wrong in the child', async () => {
  await expect(start({ step: 'none' })).rejects.toThrow(/fixture: .*step: give a number/)
})
