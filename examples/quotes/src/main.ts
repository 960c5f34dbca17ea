/**
 * `npm run app --workspace examples/quotes`: the story of quotes.ts, once every two seconds until Ctrl-C, or one time with
 * `--once`. MONGODB_URL names the MongoDB, a replica set; without it the test server of this repository stands in for one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startMongo } from '../../../tools/servers/mongo.ts'
import { tellStory } from './story.ts'

const { MONGODB_URL } = process.env
const isOnce = process.argv.includes('--once')
const standIn = MONGODB_URL ? undefined : await startMongo()
let isStopped = false
process.once('SIGINT', () => {
  isStopped = true
})
console.log(standIn ? 'MongoDB: our test server, not a mongod (MONGODB_URL names a real one)' : 'MongoDB: MONGODB_URL')

try {
  let allKept = true
  do {
    allKept = await tellStory(MONGODB_URL ?? standIn!.url, (line) => console.log(`  ${line}`))
    console.log(allKept ? '✓ as promised' : '✗ not as promised')
    if (!isOnce) await sleep(2000)
  } while (!isOnce && allKept && !isStopped)
  process.exitCode = allKept ? 0 : 1
} catch (error) {
  console.error(`✗ ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await standIn?.close()
}
