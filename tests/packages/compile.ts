/** Compiles a file of the project with one of the TypeScript versions that users have. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { root } from './project.ts'

/** Where each version is installed: three workspaces keep one each. */
const INSTALLED_IN: Readonly<Record<string, string>> = { '5.9': 'tests', '6.0': 'docs', '7.0': '.' }

/** The versions under test. */
export const typescriptVersions: readonly string[] = Object.keys(INSTALLED_IN)

/** What differs between the projects of users. */
export interface CompileOptions {
  readonly moduleResolution: 'nodenext' | 'bundler'
  /** Packages of global declarations, such as `node`. */
  readonly types: readonly string[]
  readonly lib: readonly string[]
}

/** Compiles `file` strictly, our declarations included, and returns what the compiler complains of; '' is none. */
export function compile(project: string, version: string, file: string, options: CompileOptions): string {
  const config = {
    compilerOptions: {
      target: 'es2022',
      module: options.moduleResolution === 'bundler' ? 'esnext' : 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      ...options,
    },
    files: [file],
  }
  const configFile = join(project, 'tsconfig.json')
  writeFileSync(configFile, JSON.stringify(config))
  const run = spawnSync(process.execPath, [compiler(version), '--project', configFile, '--pretty', 'false'], {
    cwd: project,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return run.status === 0 ? '' : `${run.stdout}${run.stderr}`
}

function compiler(version: string): string {
  const require = createRequire(join(root, INSTALLED_IN[version]!, 'package.json'))
  const manifest = require('typescript/package.json') as { version: string; bin: { tsc: string } }
  if (!manifest.version.startsWith(version)) {
    throw new Error(
      `${INSTALLED_IN[version]}/package.json is to install TypeScript ${version}, not ${manifest.version}`,
    )
  }
  return join(dirname(require.resolve('typescript/package.json')), manifest.bin.tsc)
}
