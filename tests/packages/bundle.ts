/** Bundles a line of code that uses the installed packages, as a user's bundler would, and weighs the result. */
import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Metafile, type Platform } from 'esbuild'

/** A bundle and what it weighs. */
export interface Bundle {
  readonly code: string
  readonly bytes: number
  readonly gzippedBytes: number
  /** Files that went into it. */
  readonly inputs: readonly string[]
  /** The ten files that take most of `bytes`, with their share. */
  readonly heaviest: Readonly<Record<string, number>>
}

/** Bundles and minifies `code` as a module. Throws when something that it imports does not exist on the platform. */
export async function bundle(project: string, code: string, platform: Platform): Promise<Bundle> {
  const result = await build({
    stdin: { contents: code, resolveDir: project, loader: 'js' },
    absWorkingDir: project,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform,
    target: 'es2023',
    logLevel: 'silent',
  })
  const { contents, text } = result.outputFiles[0]!
  return {
    code: text,
    bytes: contents.length,
    gzippedBytes: gzipSync(contents, { level: 9 }).length,
    inputs: Object.keys(result.metafile.inputs),
    heaviest: heaviestOf(result.metafile),
  }
}

function heaviestOf({ outputs }: Metafile): Record<string, number> {
  const shares = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))
  const sizes = shares.map(([file, { bytesInOutput }]) => [basename(file), bytesInOutput] as const)
  return Object.fromEntries(sizes.toSorted(([, a], [, b]) => b - a).slice(0, 10))
}
