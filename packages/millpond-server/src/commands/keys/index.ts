import type { Command } from '../command.ts'
import { copy } from './copy.ts'
import { del, unlink } from './del.ts'
import { exists } from './exists.ts'
import { expireCommands } from './expire.ts'
import { keys } from './keys.ts'
import { move } from './move.ts'
import { object } from './object.ts'
import { persist } from './persist.ts'
import { randomkey } from './randomkey.ts'
import { rename, renamenx } from './rename.ts'
import { scan } from './scan.ts'
import { sort, sortRo } from './sort.ts'
import { touch } from './touch.ts'
import { ttlCommands } from './ttl.ts'
import { type } from './type.ts'

export const keyCommands: readonly Command[] = [
  copy,
  del,
  exists,
  ...expireCommands,
  keys,
  move,
  object,
  persist,
  randomkey,
  rename,
  renamenx,
  scan,
  sort,
  sortRo,
  touch,
  ...ttlCommands,
  type,
  unlink,
]
