import { expect, test } from 'vitest'
import { readSettings } from './settings.ts'

test('without arguments it is a million trades, a server of its own, any port, and the cache on', () => {
  expect(readSettings([], {})).toEqual({
    once: false,
    rows: 1_000_000,
    postgres: 'embedded',
    databaseUrl: undefined,
    port: 0,
    skipCache: false,
  })
})

test('arguments and environment', () => {
  const env = { DATABASE_URL: 'postgres://there', PORT: '8080', SKIP_CACHE: 'true' }
  expect(readSettings(['--once', '--rows', '5000', '--postgres=system'], env)).toEqual({
    once: true,
    rows: 5000,
    postgres: 'system',
    databaseUrl: 'postgres://there',
    port: 8080,
    skipCache: true,
  })
})

test.each([
  [['--rows', 'many'], {}, '--rows many: give a whole number of at least 1000'],
  [['--rows', '10'], {}, '--rows 10: give a whole number'],
  [['--postgres', 'other'], {}, '--postgres other: give embedded or system'],
  [[], { PORT: 'http' }, 'PORT http: give a whole number'],
  [['--twice'], {}, "Unknown option '--twice'"],
])('%j %j', (args, env, message) => {
  expect(() => readSettings(args, env)).toThrow(message)
})
