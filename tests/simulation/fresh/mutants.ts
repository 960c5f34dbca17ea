/** Copies of the library with one thing left out that its promises rest on. A checker that does not notice is none. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { LIBRARY } from './world.ts'

interface Patch {
  /** Below the sources of the library. */
  readonly file: string
  /** Stands there exactly once. */
  readonly from: string
  readonly to: string
}

export const MUTANTS = {
  'no settling': [
    {
      file: 'cache/near-tier.ts',
      from: 'for (const tag of tags) this.#tags.unsettle(tag)',
      to: 'for (const tag of tags) this.#tags.invalidate(tag)',
    },
  ],
  'flush position under asynchronous commits': [
    { file: 'feeds/postgres/visibility.ts', from: "=== 'insert'\n", to: "=== 'never'\n" },
  ],
  'no mark on loads in flight': [
    {
      file: 'cache/loads.ts',
      from: 'near.addTags(lease, life.tags)\n    if (!enabled',
      to: 'near.addTags(lease, life.tags)\n    lease.restart(true)\n    if (!enabled',
    },
  ],
  'no replay guard on standbys': [
    {
      file: 'feeds/postgres/pool/origins.ts',
      from: 'return (await this.hasReplayed(client)) ? role : undefined',
      to: 'return role',
    },
  ],
  'no timeline in positions': [
    {
      file: 'feeds/postgres/feed.ts',
      from: 'return one.systemId === other.systemId && one.timeline === other.timeline',
      to: 'return one.systemId === other.systemId',
    },
  ],
  'no timeline of connections': [
    {
      file: 'feeds/postgres/pool/origins.ts',
      from: "if (row.timeline === null || Number.parseInt(row.timeline, 16) !== timeline) return 'foreign'",
      to: 'void timeline',
    },
  ],
  'no settling at the start': [
    {
      file: 'feeds/postgres/replication-slot.ts',
      from: 'if (missing.length === 0) return\n',
      to: 'return\n',
    },
  ],
  'no bound on a hit': [
    {
      file: 'cache/near-tier.ts',
      from: 'return feed === undefined || Math.max(feed.freshAsOfMs(), beganAtMs) >= cameAtMs - feed.maxStalenessMs',
      to: 'return feed === undefined || feed.freshAsOfMs() > Number.NEGATIVE_INFINITY || cameAtMs < beganAtMs',
    },
  ],
  'what a standby says taken for new': [
    {
      file: 'feeds/postgres/pool/query-cache.ts',
      from: "return source === 'standby' ? ctx.fromReplica(answer) : answer",
      to: 'return answer',
    },
  ],
  'what is lost on the bus not noticed': [
    {
      file: 'feeds/postgres/relay/frames.ts',
      from: 'const isLost = this.next !== undefined && number > this.next',
      to: 'const isLost = false',
    },
  ],
  'own writes not awaited': [{ file: 'feeds/own-writes.ts', from: 'this.written++', to: 'void this.written' }],
} as const satisfies Readonly<Record<string, readonly Patch[]>>

export type MutantName = keyof typeof MUTANTS

/** Names that issue 6 says a checker must notice. */
export const REQUIRED: readonly MutantName[] = [
  'no settling',
  'flush position under asynchronous commits',
  'no mark on loads in flight',
  'no replay guard on standbys',
  'no timeline in positions',
  'no timeline of connections',
]

/** A changed copy of the library's sources. Remove it when it is of no use any more. */
export interface MutantLibrary {
  readonly name: MutantName
  /** As `CacheProcessOptions` wants it. */
  readonly library: string
  remove(): void
}

/** @throws Error when the sources have changed so that a patch does not fit any more */
export function mutantLibrary(name: MutantName): MutantLibrary {
  const home = mkdtempSync(path.join(os.tmpdir(), 'millpond-mutant-'))
  const folder = path.join(home, 'src')
  const isSource = (file: string): boolean => !/\.(test|test-d|bench|fixture)\.ts$/.test(file)
  try {
    cpSync(fileURLToPath(LIBRARY), folder, { recursive: true, filter: isSource })
    for (const patch of MUTANTS[name]) apply(folder, name, patch)
  } catch (error) {
    rmSync(home, { recursive: true })
    throw error
  }
  return {
    name,
    library: `${pathToFileURL(folder).href}/`,
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}

function apply(folder: string, name: string, { file, from, to }: Patch): void {
  const place = path.join(folder, file)
  const text = readFileSync(place, 'utf8')
  const count = text.split(from).length - 1
  if (count !== 1)
    throw new Error(
      `the mutant "${name}" does not fit any more: ${file} has ${count} times\n${from}\nchange mutants.ts`,
    )
  writeFileSync(
    place,
    text.replace(from, () => to),
  )
}
