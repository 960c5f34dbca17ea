// The reference of the API, from the docstrings of what each entry of `exports` gives: npm run docs:api writes docs/api.
import { readFileSync } from 'node:fs'

const library = new URL('../packages/millpond/', import.meta.url)
const { exports } = JSON.parse(readFileSync(new URL('package.json', library), 'utf8'))
const sources = Object.values(exports).flatMap((target) => target['@millpond/source'] ?? [])

export default {
  name: 'Millpond',
  entryPoints: sources.map((source) => new URL(source, library).pathname),
  tsconfig: 'tsconfig.json',
  out: 'api',
  readme: 'none',
  excludePrivate: true,
  excludeInternal: true,
  disableSources: true,
  hideGenerator: true,
  // Every exported symbol has a docstring, and a link in one leads somewhere.
  requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable', 'Enum'],
  validation: {
    notDocumented: true,
    invalidLink: true,
    notExported: false,
    rewrittenLink: true,
    unusedMergeModuleWith: true,
  },
  treatWarningsAsErrors: true,
}
