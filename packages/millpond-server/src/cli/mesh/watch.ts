/** `millpond mesh watch`: a mesh, looked at again and again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mesh } from 'millpond/mesh'
import { Screen } from '../screen.ts'
import { picture, summary } from './picture.ts'
import { survey } from './survey.ts'
import { type MeshFlags, visit } from './visit.ts'

/** Looks until it is told to stop, or so many times. Returns the exit code. */
export async function watch(flags: MeshFlags & { every: number; count?: number }): Promise<number> {
  const screen = new Screen(flags.json !== true)
  try {
    await visit(flags, async (mesh) => {
      const unlisten = screen.isDrawn || flags.json ? () => {} : tellPeers(mesh)
      try {
        for (let turn = 1; !screen.signal.aborted; turn++) {
          const found = await survey(mesh)
          if (screen.isDrawn) screen.draw(picture(found))
          else process.stdout.write(`${flags.json ? JSON.stringify(found) : summary(found)}\n`)
          if (turn === flags.count) break
          await sleep(flags.every * 1000, undefined, { signal: screen.signal }).catch(() => {})
        }
      } finally {
        unlisten()
      }
    })
    return 0
  } finally {
    screen.close()
  }
}

function tellPeers(mesh: Mesh): () => void {
  return mesh.on('peer', ({ peer }) => process.stdout.write(`${mesh.name}: ${peer.name} is ${peer.state}\n`))
}
