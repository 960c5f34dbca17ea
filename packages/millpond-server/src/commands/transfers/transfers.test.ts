import { expect, test } from 'vitest'
import { TestService } from '../testing.ts'
import { type Movers, type TransferOptions, type TransferResult, Transfers } from './transfers.ts'

/** Movers whose work a test ends. */
function start() {
  const begun: { place: string; options: TransferOptions; end: (result: TransferResult | Error) => void }[] = []
  const move = (_: unknown, place: string, options: TransferOptions): Promise<TransferResult> =>
    new Promise((resolve, reject) => {
      options.signal.addEventListener('abort', () => reject(options.signal.reason as Error))
      begun.push({ place, options, end: (result) => (result instanceof Error ? reject(result) : resolve(result)) })
    })
  const movers: Movers = { backUp: move, restore: move, bring: move, list: async () => [] }
  return { service: new TestService(), transfers: new Transfers(movers), begun }
}

/** Lets what was promised come. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a transfer tells how far it is, and what came of it', async () => {
  const { service, transfers, begun } = start()
  const transfer = transfers.begin('backup', service, 'place', false)
  expect(transfers.named(transfer.id)).toMatchObject({ kind: 'backup', cache: 'default', state: 'running' })
  begun[0]!.options.onProgress({ done: 5, total: 10, bytes: 100 })
  expect(transfer.progress).toEqual({ done: 5, total: 10, bytes: 100 })
  begun[0]!.end({ keys: 10 })
  await turn()
  expect(transfer).toMatchObject({ state: 'done', result: { keys: 10 }, error: undefined })
  const failing = transfers.begin('restore', service, 'place', true)
  begun[1]!.end(new Error('damaged'))
  await turn()
  expect(failing).toMatchObject({ state: 'failed', error: 'damaged' })
  expect(begun.map(({ options }) => options.replace)).toEqual([false, true])
})

test('a cache has one at a time; cancelled, it ends', async () => {
  const { service, transfers } = start()
  const { id } = transfers.begin('import', service, 'place', false)
  expect(() => transfers.begin('backup', service, 'place', false)).toThrow('under way')
  expect(transfers.cancel(id)).toBe(true)
  await turn()
  expect(transfers.named(id)).toMatchObject({ state: 'failed', error: 'it was cancelled' })
  expect(transfers.cancel(id)).toBe(false)
  expect(() => transfers.cancel(77)).toThrow('no transfer 77')
})

test('a cache that is deleted ends its own', async () => {
  const { service, transfers } = start()
  const transfer = transfers.begin('import', service, 'place', false)
  transfers.cancelOf('other')
  await turn()
  expect(transfer.state).toBe('running')
  transfers.cancelOf('default')
  await turn()
  expect(transfer).toMatchObject({ state: 'failed', error: 'the cache was deleted' })
})

test('the end of the server ends them, and old ones are forgotten', async () => {
  const { service, transfers, begun } = start()
  for (let count = 0; count < 120; count++) {
    transfers.begin('backup', service, 'place', false)
    begun.at(-1)!.end({})
    await turn()
  }
  expect(() => transfers.named(1)).toThrow('no transfer 1')
  const last = transfers.begin('backup', service, 'place', false)
  await transfers.stop()
  expect(last.state).toBe('failed')
})
