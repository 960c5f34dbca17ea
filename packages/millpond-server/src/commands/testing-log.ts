/** For tests: what the log of a service is told. */
import type { Arguments } from '../engine/arguments.ts'
import type { Service } from './service.ts'

/** Gives a service a log, and returns the commands that it is told from now on, each as its words. */
export function loggedBy(service: Service): string[][] {
  const commands: string[][] = []
  const add = (args: Arguments): void => void commands.push(args.texts(0))
  service.logs.log = {
    settled: true,
    append: (_db, args) => add(args),
    appendGroup(group) {
      for (const { args } of group) add(args)
    },
    whenSettled: (run) => run(),
  }
  return commands
}
