/** A process of a mesh on the loopback: `tsx process.fixture.ts <mesh> <peer>`. Answers each value of `ask` in `answer:<peer>`; ends at `stop:<peer>`. */
import { joinMesh } from './index.ts'

const [name, peer] = process.argv.slice(2) as [string, string]
const mesh = await joinMesh({ name, peer, key: '5e'.repeat(32), transport: { interface: '127.0.0.1' } })
const map = mesh.map<unknown>('talk')
const answer = (): void => {
  if (map.has('ask')) map.set(`answer:${peer}`, { asked: map.get('ask'), size: map.size })
}
map.on('set', ({ key, local }) => {
  if (local) return
  if (key === 'ask') answer()
  if (key === `stop:${peer}`) void mesh.leave()
})
answer()
console.log('ready')
