/** `millpond mesh watch`: a mesh, looked at again and again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mesh } from 'millpond/mesh'
import { picture, summary } from './picture.ts'
import { survey } from './survey.ts'
import { type MeshFlags, visit } from './visit.ts'

/** Looks until it is told to stop, or so many times. Returns the exit code. */
export async function watch(flags: MeshFlags & { every: number; count?: number }): Promise<number> {
  const isDrawn = process.stdout.isTTY === true && flags.json !== true && process.env.TERM !== 'dumb'
  const stop = stopSignal()
  try {
    await visit(flags, async (mesh) => {
      const unlisten = isDrawn || flags.json ? () => {} : tellPeers(mesh)
      if (isDrawn) process.stdout.write(ENTER)
      try {
        for (let turn = 1; !stop.signal.aborted; turn++) {
          const found = await survey(mesh)
          if (isDrawn) process.stdout.write(drawn(picture(found)))
          else process.stdout.write(`${flags.json ? JSON.stringify(found) : summary(found)}\n`)
          if (turn === flags.count) break
          await sleep(flags.every * 1000, undefined, { signal: stop.signal }).catch(() => {})
        }
      } finally {
        if (isDrawn) process.stdout.write(LEAVE)
        unlisten()
      }
    })
    return 0
  } finally {
    stop.dispose()
  }
}

function tellPeers(mesh: Mesh): () => void {
  return mesh.on('peer', ({ peer }) => process.stdout.write(`${mesh.name}: ${peer.name} is ${peer.state}\n`))
}

/** Each line over the one that was there. What does not fit is cut off, so that the screen does not move. */
function drawn(lines: readonly string[]): string {
  // A terminal without a size says 0.
  const rows = process.stdout.rows || 24
  const columns = process.stdout.columns || 80
  const shown = [...lines.slice(0, rows - 2), '', 'q ends'].map((line) => `${line.slice(0, columns)}\x1b[K`)
  return `\x1b[H${shown.join('\r\n')}\x1b[J`
}

/** Aborts at q, Ctrl-C or a signal. Ctrl-C is a key like others while the terminal is read raw. */
function stopSignal(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const pressed = (keys: Buffer): void => {
    if (ENDING_KEYS.some((key) => keys.includes(key))) abort()
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, abort)
  const { stdin } = process
  const isRead = stdin.isTTY === true && process.stdout.isTTY === true
  if (isRead) stdin.setRawMode(true).on('data', pressed).resume()
  return {
    signal: controller.signal,
    dispose() {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, abort)
      if (isRead) stdin.setRawMode(false).off('data', pressed).pause()
    },
  }
}

/** q, Ctrl-C, Ctrl-D. */
const ENDING_KEYS = ['q', 'Q', '\u0003', '\u0004']
/** The other screen, without a cursor; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J'
const LEAVE = '\x1b[?25h\x1b[?1049l'
