/** A process for file-journal.test.ts to kill: appends without end, and says on stdout what was acknowledged. */
import { writeSync } from 'node:fs'
import { fileJournal } from './file-journal.ts'

const [path, first] = process.argv.slice(2) as [string, string]
const journal = fileJournal({ path, compactAbove: '4kb' })
const kept = await journal.open()
writeSync(1, `open ${kept.map((record) => record.sequence).join(',')}\n`)
let next = Number(first)

/** Appends one record after the other, and settles every second one. */
async function append(): Promise<never> {
  for (;;) {
    const sequence = next++
    await journal.append({ sequence, key: `key ${sequence}`, value: 'x'.repeat(sequence % 90) })
    writeSync(1, `appended ${sequence}.\n`)
    if (sequence % 2 === 0) {
      writeSync(1, `settling ${sequence}.\n`)
      await journal.settle([sequence])
    }
  }
}

await Promise.all(Array.from({ length: 8 }, append))
