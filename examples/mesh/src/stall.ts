/** A process of the market: holds all prices in a plain dictionary of its own, and changes one now and then. */
import { setTimeout as sleep } from 'node:timers/promises'
import { asDictionary, joinMesh } from 'millpond/mesh'
import { type Command, GOODS, type Price, type Told } from './goods.ts'

const [market, name] = process.argv.slice(2) as [string, string]
const startMs = performance.now()

// The whole use of Millpond. Without a key the mesh stays on this machine.
const mesh = await joinMesh({ name: market, peer: name })
const map = mesh.map<Price>('prices')
const prices = asDictionary(map)
map.on('set', ({ key }) => tell({ kind: 'price', good: key, price: prices[key]! }))

tell({ kind: 'ready', held: { ...prices }, tookMs: performance.now() - startMs })

let isTrading = false
process.on('message', (command: Command) => {
  isTrading = command === 'trade'
  if (command === 'quiet') void tellWhatIsHeld()
})
process.on('disconnect', () => {
  void mesh.leave().finally(() => process.exit(0))
})
// Ctrl-C reaches every process of the terminal; the picture says when to end.
process.on('SIGINT', () => {})

for (let turn = Math.floor(Math.random() * GOODS.length); ; turn++) {
  await sleep(150 + Math.random() * 300)
  if (!isTrading) continue
  const good = GOODS[turn % GOODS.length]!
  prices[good] = { cents: 100 + Math.floor(Math.random() * 900), by: name }
}

async function tellWhatIsHeld(): Promise<void> {
  await map.settled()
  const checksums = (await mesh.checksums('prices')).map(({ checksum }) => checksum)
  tell({ kind: 'quiet', held: { ...prices }, checksums })
}

function tell(told: Told): void {
  if (process.connected) process.send!(told)
}
