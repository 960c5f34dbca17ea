import type { Bus, BusMessage } from '../core/bus.ts'
import { type ContractCheck, same } from './contracts.ts'

/** What the checks of a bus need. */
export interface BusSubject<End extends Bus = Bus> {
  /** One more end of the same bus, as one more process would have. */
  connect(): End | Promise<End>
  /** Resolves when everything that is under way has arrived. */
  delivered(): Promise<void>
  /** Loses what the end sends and what is sent to it. */
  cut(end: End): void | Promise<void>
  /** Connects it again. */
  heal(end: End): void | Promise<void>
}

/** What one end was told: messages, and `'gap'`. */
type Heard = (BusMessage | 'gap')[]

interface Given {
  readonly subject: BusSubject
  readonly connect: () => Promise<Listening>
}

interface Listening {
  readonly bus: Bus
  readonly heard: Heard
  readonly stop: () => void
}

const checks: Record<string, (given: Given) => Promise<void>> = {
  'a message reaches all others, whole, and not its sender': async ({ subject, connect }) => {
    const [first, second, third] = [await connect(), await connect(), await connect()]
    const messages: BusMessage[] = [
      { cache: 'shop', kind: 'delete', keys: ['a', 'ü :\n\0'], tags: ['t'] },
      { cache: 'shop', kind: 'expire', tags: ['\0users'] },
      { cache: 'other.cache', kind: 'clear' },
    ]
    for (const message of messages) await first.bus.publish(message)
    await subject.delivered()
    same(second.heard, messages, 'what the second hears')
    same(third.heard, messages, 'what the third hears')
    same(first.heard, [], 'what the sender hears')
  },

  'messages of one sender arrive in order': async ({ subject, connect }) => {
    const [sender, receiver] = [await connect(), await connect()]
    const names = Array.from({ length: 200 }, (_, at) => `${at}`)
    await Promise.all(names.map((name) => sender.bus.publish(deleteOf(name))))
    await subject.delivered()
    same(namesOf(receiver.heard), names, 'the order')
  },

  'every subscriber of an end is told, until it stops': async ({ subject, connect }) => {
    const [sender, receiver] = [await connect(), await connect()]
    const heard: Heard = []
    const stop = receiver.bus.subscribe({ message: (message) => heard.push(message), gap: () => heard.push('gap') })
    await sender.bus.publish(deleteOf('one'))
    await subject.delivered()
    stop()
    await sender.bus.publish(deleteOf('two'))
    await subject.delivered()
    same(namesOf(heard), ['one'], 'what the second subscriber hears')
    same(namesOf(receiver.heard), ['one', 'two'], 'what the first subscriber hears')
  },

  'an end that was cut off is told of the gap before the next message': async ({ subject, connect }) => {
    const [sender, receiver] = [await connect(), await connect()]
    await subject.cut(receiver.bus)
    await sender.bus.publish(deleteOf('lost'))
    await subject.delivered()
    await subject.heal(receiver.bus)
    await subject.delivered()
    await sender.bus.publish(deleteOf('next'))
    await subject.delivered()
    same(receiver.heard[0], 'gap', 'the first thing that it hears')
    same(namesOf(receiver.heard), ['next'], 'the messages that it hears')
  },

  'all are told of the gap that a sender leaves whose messages were lost': async ({ subject, connect }) => {
    const [sender, receiver] = [await connect(), await connect()]
    await subject.cut(sender.bus)
    await sender.bus.publish(deleteOf('lost')).catch(() => {})
    await subject.delivered()
    await subject.heal(sender.bus)
    await sender.bus.publish(deleteOf('next'))
    await subject.delivered()
    same(receiver.heard[0], 'gap', 'the first thing that the others hear')
    same(namesOf(receiver.heard), ['next'], 'the messages that they hear')
  },

  'an end that is closed hears nothing': async ({ subject, connect }) => {
    const [sender, receiver] = [await connect(), await connect()]
    await receiver.bus.close()
    await sender.bus.publish(deleteOf('late'))
    await subject.delivered()
    same(receiver.heard, [], 'what it hears')
  },
}

/** What every `Bus` has to do. */
export const busContract: readonly ContractCheck<BusSubject<never>>[] = Object.entries(checks).map(([name, check]) => ({
  name,
  async run(given) {
    const subject = given as unknown as BusSubject
    const ends: Listening[] = []
    const connect = async (): Promise<Listening> => {
      const bus = await subject.connect()
      const heard: Heard = []
      const stop = bus.subscribe({ message: (message) => heard.push(message), gap: () => heard.push('gap') })
      ends.push({ bus, heard, stop })
      return ends.at(-1)!
    }
    try {
      await check({ subject, connect })
    } finally {
      for (const { stop } of ends) stop()
      await Promise.all(ends.map(({ bus }) => bus.close()))
    }
  },
}))

function deleteOf(name: string): BusMessage {
  return { cache: 'shop', kind: 'delete', keys: [name] }
}

function namesOf(heard: Heard): string[] {
  return heard.flatMap((each) => (each === 'gap' ? [] : (each.keys ?? [])))
}
