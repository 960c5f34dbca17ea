import { describe, test } from 'vitest'
import { storeContract } from '../../testing/contracts-store.ts'
import { faultyStore } from '../../testing/faulty-store.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { MemoryStore } from '../../testing/memory-store.ts'
import { failoverStore } from './index.ts'

describe('failoverStore keeps the contract of Store', () => {
  for (const { name, run } of storeContract) {
    test(name, () => {
      const clock = manualClock()
      const providers = [new MemoryStore(clock), new MemoryStore(clock), new MemoryStore(clock)]
      return run({ open: () => failoverStore(providers, { clock }), pass: (ms) => clock.advance(ms) })
    })
  }
})

describe('failoverStore whose first provider is away keeps the contract of Store', () => {
  for (const { name, run } of storeContract) {
    test(name, () => {
      const clock = manualClock()
      const away = faultyStore(new MemoryStore(clock), ({ method }) => {
        if (method !== 'close') throw new Error('away')
      })
      const providers = [away, new MemoryStore(clock)]
      const open = async () => {
        const store = failoverStore(providers, { clock })
        await store.read([], []) // a fill that finds out is answered `false`
        return store
      }
      return run({ open, pass: (ms) => clock.advance(ms) })
    })
  }
})
