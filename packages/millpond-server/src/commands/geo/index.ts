import type { Command } from '../command.ts'
import { geoadd } from './geoadd.ts'
import { georadius, georadiusbymember, georadiusbymemberRo, georadiusRo } from './georadius.ts'
import { geosearch, geosearchstore } from './geosearch.ts'
import { geodist, geohash, geopos } from './reading.ts'

export const geoCommands: readonly Command[] = [
  geoadd,
  geodist,
  geohash,
  geopos,
  georadius,
  georadiusbymember,
  georadiusbymemberRo,
  georadiusRo,
  geosearch,
  geosearchstore,
]
