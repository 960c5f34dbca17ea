/** The process of a rewrite: reads the files of a log into a service that nobody asks, and writes what that holds. */
import { EngineTime } from '../../engine/time.ts'
import { CommandTable } from '../command-table.ts'
import { Configuration } from '../configuration/configuration.ts'
import { Service } from '../service.ts'
import { COMMANDS } from '../table.ts'
import { replayFile } from './replay.ts'
import type { RewriteJob } from './rewrite.ts'
import { saveAtOnce } from './snapshot.ts'

const job = JSON.parse(process.argv[2]!) as RewriteJob
const configuration = new Configuration()
configuration.start('databases', String(job.databases))
const time = new EngineTime()
// What expires meanwhile is written too: commands that come behind it in the log were given while it was there.
time.hold()
const service = new Service({
  time,
  commands: new CommandTable(COMMANDS),
  configuration,
  bytesMax: job.capacity,
})
for (const file of job.files) replayFile(service, file, false)
saveAtOnce(service, job.target, true)
