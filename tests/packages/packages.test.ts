import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import type { Platform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageFaults } from '../../tools/package-faults.ts'
import { npm, type PackedPackages, packPackages } from '../../tools/packed.ts'
import { bundle } from './bundle.ts'
import { compile, typescriptVersions } from './compile.ts'
import { filesBelow, installProject, linkTypes, manifestOf, root, runNode } from './project.ts'

/** Bounds of size, gzipped. A change that needs more room raises them here, and says in its commit what for. */
const CORE_BYTES_MAX = 12 * 1024
const ENTRY_BYTES_MAX = 32 * 1024
/**
 * Entries that are more than one idea, and never go to a browser: the mesh is a transport, a reliable link, sealing, repair and maps; postgres is
 * a feed by the log or by triggers, its relay, the analysis of SQL, a cached pool and its auditor.
 */
const LARGE_ENTRY_BYTES_MAX: Readonly<Record<string, number>> = { './mesh': 48 * 1024, './postgres': 48 * 1024 }
/** All entries with their declarations and comments; what an application loads of them is bounded above. */
const INSTALLED_BYTES_MAX = 2 * 1024 * 1024

let packed: PackedPackages
let project: string
beforeAll(() => {
  packed = packPackages()
  project = installProject(packed)
}, 120_000)
afterAll(() => packed?.remove())

const exportsOf = (name: string) =>
  Object.entries(JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).exports as object)
const subpaths = exportsOf('millpond')
  .map(([path]) => path)
  .filter((path) => path !== './package.json')
const specifier = (path: string) => path.replace('.', 'millpond')

describe.each(['millpond', 'millpond-server'])('the tarball of %s', (name) => {
  test('has no fault in the eyes of publint and Are The Types Wrong', async () => {
    expect(await packageFaults(packed.tarballs[name]!)).toEqual([])
  }, 60_000)

  test('has what is built, README and LICENSE; no source, test or map', () => {
    const files = [...filesBelow(join(project, 'node_modules', name)).keys()]
    const others = files.filter((file) => !/^dist\/.*(?<!\.(test|bench|fixture))(\.js|\.d\.ts)$/.test(file))
    expect(others.sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
  })

  test('has a manifest that names only what is in it', () => {
    const manifest = manifestOf(project, name)
    expect(JSON.stringify(manifest)).not.toContain('src/')
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    )
    for (const target of [...targets, ...Object.values(manifest.bin ?? {})]) {
      expect(existsSync(join(project, 'node_modules', name, target)), target).toBe(true)
    }
  })

  test('leaves the folder that it was packed from as it was', () => {
    const folder = join(packed.folder, 'workspace/packages', name)
    const manifest = (place: string) => readFileSync(join(place, 'package.json'), 'utf8')
    expect(manifest(folder)).toBe(manifest(join(root, 'packages', name)))
    for (const file of ['package.json.kept', 'package.copied.json', 'LICENSE']) {
      expect(existsSync(join(folder, file)), file).toBe(false)
    }
  })
})

test('a pack that was interrupted is put back by the next one', () => {
  const folder = join(packed.folder, 'workspace/packages/millpond')
  const manifest = () => readFileSync(join(folder, 'package.json'), 'utf8')
  const pack = (step: string) => runNode(folder, ['../../tools/pack.mjs', step])
  const whole = manifest()
  pack('before')
  expect(manifest()).not.toContain('@millpond/source')
  pack('before')
  pack('after')
  expect(manifest()).toBe(whole)
  expect(existsSync(join(folder, 'LICENSE'))).toBe(false)
})

describe('every entry of millpond', () => {
  test.each(subpaths)('%s resolves for import and for require, to the same names', (path) => {
    const names = (load: string) => `${load}.then((m) => console.log(JSON.stringify(Object.keys(m).sort())))`
    const imported = runNode(project, ['--input-type=module', '-e', names(`import('${specifier(path)}')`)])
    const required = runNode(project, [
      '--input-type=commonjs',
      '-e',
      names(`Promise.resolve(require('${specifier(path)}'))`),
    ])
    const own = (text: string) => (JSON.parse(text) as string[]).filter((name) => name !== '__esModule')
    expect(own(imported).length).toBeGreaterThan(0)
    expect(own(required)).toEqual(own(imported))
  })

  test.each(subpaths)('%s has types beside the code', (path) => {
    const target = manifestOf(project, 'millpond').exports[path] as Record<string, string>
    expect(Object.keys(target)).toEqual(['types', 'default'])
    expect(target.types).toBe(target.default?.replace(/\.js$/, '.d.ts'))
  })
})

describe("import 'millpond'", () => {
  test('loads no socket and no client: nothing of Node that an empty module does not load', () => {
    writeFileSync(join(project, 'empty.js'), '')
    const loadedBy = (name: string) => {
      const code = `import '${name}'; console.log(JSON.stringify(process.moduleLoadList))`
      return JSON.parse(runNode(project, ['--input-type=module', '-e', code])) as string[]
    }
    const before = new Set(loadedBy('./empty.js'))
    const added = loadedBy('millpond').filter((name) => !before.has(name))
    const heavy = /^NativeModule (dgram|net|tls|https?|http2|dns|fs|child_process|cluster|worker_threads)$/
    expect(added.filter((name) => heavy.test(name))).toEqual([])
  })

  test('reaches nothing outside the package', async () => {
    const { inputs } = await bundle(project, "import 'millpond'", 'browser')
    expect(inputs.filter((file) => file !== '<stdin>' && !file.startsWith('node_modules/millpond/dist/'))).toEqual([])
  })

  test.each([
    ['millpond', 'createCache'],
    ['millpond/core', 'createNearCache'],
  ])('%s bundles for a browser, and caches there', async (entry, create) => {
    const code = `
      import { ${create} } from '${entry}'
      const cache = ${create}({ name: 'browser', ttl: '1m' })
      let loads = 0
      const read = () => cache.getOrSet('a', () => ++loads)
      globalThis.answer = Promise.all([read(), read()]).then(async () => [await read(), loads])`
    const { code: bundled } = await bundle(project, code, 'browser')
    expect(await inBrowser(bundled)).toEqual([1, 1])
  })
})

describe('types under TypeScript', () => {
  const web = ['es2022', 'dom']
  const node = ['es2022']
  const everything = () => subpaths.map((path, at) => `export * as part${at} from '${specifier(path)}'`).join('\n')

  test.each(typescriptVersions)(
    '%s: all entries, in a Node project',
    (version) => {
      linkTypes(project, 'node')
      writeFileSync(join(project, 'everything.ts'), everything())
      const options = { moduleResolution: 'nodenext', types: ['node'], lib: node } as const
      expect(compile(project, version, 'everything.ts', options)).toBe('')
    },
    60_000,
  )

  test.each(typescriptVersions)(
    "%s: the main API, in a bundled web project without Node's types",
    (version) => {
      copyFileSync(join(import.meta.dirname, 'consumer/main.ts'), join(project, 'main.ts'))
      const options = { moduleResolution: 'bundler', types: [], lib: web } as const
      expect(compile(project, version, 'main.ts', options)).toBe('')
    },
    60_000,
  )

  test('a mistake is seen', () => {
    writeFileSync(
      join(project, 'mistake.ts'),
      "import { createCache } from 'millpond'\ncreateCache({ ttl: '5 mins' })\n",
    )
    const complaint = compile(project, '7.0', 'mistake.ts', { moduleResolution: 'nodenext', types: [], lib: web })
    expect(complaint).toContain('mistake.ts(2,')
  })
})

describe('size', () => {
  const weighed = [
    weigh(
      'core',
      'browser',
      CORE_BYTES_MAX,
      "import { createNearCache } from 'millpond/core'; globalThis.a = createNearCache",
    ),
    weigh(
      'createCache',
      'browser',
      ENTRY_BYTES_MAX,
      "import { createCache } from 'millpond'; globalThis.a = createCache",
    ),
    ...subpaths.map((path) =>
      weigh(
        specifier(path),
        'node',
        LARGE_ENTRY_BYTES_MAX[path] ?? ENTRY_BYTES_MAX,
        `export * from '${specifier(path)}'`,
      ),
    ),
  ]
  test.each(weighed)('of $what is within its bound', async ({ what, code, platform, bound }) => {
    const { bytes, gzippedBytes, heaviest } = await bundle(project, code, platform)
    console.log(`${what}: ${bytes} bytes minified, ${gzippedBytes} gzipped, at most ${bound}`)
    expect(gzippedBytes, `heaviest, minified: ${JSON.stringify(heaviest)}`).toBeLessThanOrEqual(bound)
  })

  test('of what npm installs is within its bound', () => {
    const files = filesBelow(join(project, 'node_modules/millpond'))
    const installed = [...files.values()].reduce((sum, bytes) => sum + bytes, 0)
    const tarball = statSync(packed.tarballs.millpond!).size
    console.log(`millpond: ${tarball} bytes packed, ${installed} bytes installed in ${files.size} files`)
    expect(installed).toBeLessThanOrEqual(INSTALLED_BYTES_MAX)
  })
})

describe('the command millpond', () => {
  test('is installed with millpond-server and prints its version', () => {
    const out = npm(['exec', '--offline', '--no', '--', 'millpond', '--version'], project)
    expect(out.trim()).toBe(manifestOf(project, 'millpond-server').version)
  })
})

function weigh(what: string, platform: Platform, bound: number, code: string) {
  return { what, platform, bound, code }
}

/** Runs a bundle where only what browsers have exists, and returns what it leaves in `answer`. */
async function inBrowser(code: string): Promise<unknown> {
  const { AbortController, AbortSignal, crypto, performance, queueMicrotask, setTimeout, clearTimeout } = globalThis
  const { structuredClone, TextDecoder, TextEncoder } = globalThis
  const web = { AbortController, AbortSignal, crypto, performance, queueMicrotask, setTimeout, clearTimeout }
  const context = createContext({ ...web, structuredClone, TextDecoder, TextEncoder })
  runInContext(code, context)
  return await (context.answer as Promise<unknown>)
}
