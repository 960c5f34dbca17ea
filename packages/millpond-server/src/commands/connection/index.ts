import type { Command } from '../command.ts'
import { auth } from './auth.ts'
import { clientContainer } from './client-container.ts'
import { echo } from './echo.ts'
import { hello } from './hello.ts'
import { ping } from './ping.ts'
import { quit } from './quit.ts'
import { reset } from './reset.ts'
import { select } from './select.ts'

export const connectionCommands: readonly Command[] = [auth, clientContainer, echo, hello, ping, quit, reset, select]
