import { defineConfig } from 'vitest/config'

// Tests run from source: the condition @millpond/source makes `import 'millpond'` resolve to src/, nothing is built.
// No `import` or `module` here: vitest hands each one to Node for every kind of load, and a package of CommonJS (pg)
// would then be given the modules of its own dependencies.
const conditions = ['@millpond/source', 'node', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'tests/**/*.test.ts',
      'bench/**/*.test.ts',
      'examples/**/*.test.ts',
      'tools/**/*.test.ts',
    ],
    pool: 'forks',
    maxWorkers: 2,
    // Ends for what hangs, far enough for a machine that does much else.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    execArgv: ['--conditions=@millpond/source', '--expose-gc'],
  },
})
