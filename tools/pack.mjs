// Makes a package's folder ready for `npm pack` and `npm publish` (`before`), and puts it back (`after`). Run by npm as
// `prepack` and `postpack` in that folder. Two things differ between the folder and what is published:
// - package.json: `exports` has no condition @millpond/source there, for src/ is not published;
// - README.md and LICENSE: those of the repository, where the package has none of its own.
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

const MANIFEST = 'package.json'
const KEPT = 'package.json.kept'
const COPIED = 'package.copied.json'

const step = process.argv[2]
if (step !== 'before' && step !== 'after') throw new Error('say `pack.mjs before` or `pack.mjs after`')
// Also before: an earlier pack that failed half-way is put back first.
restore()
if (step === 'before') prepare()

function prepare() {
  copyFileSync(MANIFEST, KEPT)
  const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8'))
  writeFileSync(MANIFEST, `${JSON.stringify(withoutSource(manifest), null, 2)}\n`)
  const copied = ['README.md', 'LICENSE'].filter((name) => !existsSync(name) && existsSync(`../../${name}`))
  writeFileSync(COPIED, JSON.stringify(copied))
  for (const name of copied) copyFileSync(`../../${name}`, name)
}

function restore() {
  if (existsSync(KEPT)) renameSync(KEPT, MANIFEST)
  if (!existsSync(COPIED)) return
  for (const name of JSON.parse(readFileSync(COPIED, 'utf8'))) rmSync(name, { force: true })
  rmSync(COPIED)
}

/** The manifest as it is published: nothing in it points into src/, nor to what only works in the repository. */
function withoutSource(manifest) {
  const { scripts: _scripts, devDependencies: _devDependencies, ...published } = manifest
  const exports = Object.entries(manifest.exports ?? {}).map(([path, target]) => {
    if (typeof target === 'string') return [path, target]
    const { '@millpond/source': _source, ...targets } = target
    return [path, targets]
  })
  return { ...published, exports: Object.fromEntries(exports) }
}
