import { describe, expect, it } from 'vitest'
import { Room } from './room.ts'

describe('Room', () => {
  const setup = (size: number) => {
    const room = new Room(size)
    const inside: string[] = []
    const enter = async (name: string, sharing = false) => {
      await room.enter(sharing)
      inside.push(name)
    }
    return { room, inside, enter }
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))

  it('lets in as many as it has places, then one for each who leaves, in the order of coming', async () => {
    const { room, inside, enter } = setup(2)
    for (const name of ['a', 'b', 'c', 'd']) void enter(name)
    await turn()
    expect(inside).toEqual(['a', 'b'])
    room.leave()
    await turn()
    expect(inside).toEqual(['a', 'b', 'c'])
    expect(room.taken).toBe(2)
  })

  it('lets in who shares a place although it is full, but not past those who wait', async () => {
    const { room, inside, enter } = setup(1)
    await enter('a')
    await enter('b', true)
    void enter('c')
    void enter('d', true)
    await turn()
    expect(inside).toEqual(['a', 'b'])
    room.leave()
    room.leave()
    await turn()
    expect(inside).toEqual(['a', 'b', 'c'])
  })

  it('refuses those who wait when it closes', async () => {
    const { room, enter } = setup(1)
    await enter('a')
    const waiting = enter('b')
    room.close(new Error('closed'))
    await expect(waiting).rejects.toThrow('closed')
  })
})
