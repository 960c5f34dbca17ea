import type { Command } from '../command.ts'
import { publish, spublish } from './publish.ts'
import { pubsub } from './pubsub.ts'
import { subscribeCommands } from './subscribe.ts'

export const pubsubCommands: readonly Command[] = [...subscribeCommands, publish, pubsub, spublish]
