import { defineConfig } from 'vitest/config'

// Tests run from source: the condition @millpond/source makes `import 'millpond'` resolve to src/, nothing is built.
const conditions = ['@millpond/source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts', 'examples/**/*.test.ts', 'tools/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    execArgv: ['--conditions=@millpond/source', '--expose-gc'],
  },
})
