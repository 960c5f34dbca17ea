/**
 * The suites of clients and of libraries that stand on Redis: run unchanged against a server on the port that they expect,
 * in a network namespace of their own, where that port is always free.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInside } from './inside.ts'
import { mocha, pytest, respCompatibility, vitest } from './reports.ts'
import { gitSource, npmFolder, npmInstall, pythonFolder } from './sources.ts'
import type { Outcome, Request, Suite } from './suite.ts'

/** A suite in a repository or a folder of packages. */
interface ClientSuite {
  readonly name: string
  readonly summary: string
  /** Makes the suite ready to run, with the network as it is, and returns its folder. */
  prepare(request: Request): string
  /** The command, as the shell takes it. `REPORT` in it: the file that it writes its report to. */
  readonly command: string
  readonly env?: Readonly<Record<string, string>>
  readonly minutes: number
  read(report: string, output: string): Outcome
}

const NPM = { NODE_ENV: 'test', TS_NODE_TRANSPILE_ONLY: 'true', CI: 'true' }

const ioredis: ClientSuite = {
  name: 'ioredis',
  summary: 'ioredis 6: its functional tests, in RESP2 and RESP3',
  prepare: ({ from, say }) =>
    npmInstall(
      gitSource('ioredis', 'redis/ioredis', 'v6.0.0', from, say),
      [
        'mocha@11',
        'chai@4',
        'chai-as-promised@7',
        'sinon@13',
        'ts-node',
        'typescript@5',
        'uuid@9',
        'server-destroy',
        '@types/node@20',
      ],
      say,
    ),
  command:
    'npx --no-install mocha --exit --timeout 10000 --require ts-node/register --reporter json --reporter-option output=REPORT ' +
    '"test/helpers/*.ts" "test/functional/**/*.ts"',
  env: NPM,
  minutes: 12,
  read: mocha,
}

const redisPy: ClientSuite = {
  name: 'redis-py',
  summary: 'redis-py 8.1: commands, pub/sub, pipelines, locks, scripts, functions, encodings, client-side caching',
  prepare: ({ from, say }) =>
    pythonFolder(
      gitSource('redis-py', 'redis/redis-py', 'v8.1.0', from, say),
      ['.', 'pytest', 'pytest-asyncio', 'pytest-timeout', 'numpy', 'xxhash'],
      say,
    ),
  command:
    'venv/bin/python -m pytest -q -p no:cacheprovider --timeout 60 --junitxml=REPORT --redis-url=redis://127.0.0.1:6379/0 ' +
    '-m "not onlycluster and not redismod and not ssl and not replica and not cp_integration and not multidb_integration" ' +
    'tests/test_commands.py tests/test_pubsub.py tests/test_pipeline.py tests/test_lock.py tests/test_scripting.py ' +
    'tests/test_function.py tests/test_encoding.py tests/test_monitor.py tests/test_connection_pool.py tests/test_cache.py ' +
    'tests/test_keyspace_notifications.py',
  minutes: 10,
  read: pytest,
}

const bullmq: ClientSuite = {
  name: 'bullmq',
  summary: 'BullMQ 6: queues, workers, flows and schedulers, in Lua scripts of hundreds of lines',
  prepare: ({ from, say }) => {
    const folder = npmInstall(gitSource('bullmq', 'taskforcesh/bullmq', 'v6.2.0', from, say), [], say)
    execFileSync(
      'npx',
      ['--no-install', 'ts-node', '--project', 'tsconfig-cjs.json', 'scripts/generateRawScripts.ts'],
      { cwd: folder },
    )
    execFileSync('node', ['scripts/commandTransform.js', './rawScripts', './src/scripts'], { cwd: folder })
    return folder
  },
  command:
    'npx --no-install vitest run --no-file-parallelism --reporter=json --outputFile=REPORT tests/queue.test.ts tests/job.test.ts ' +
    'tests/bulk.test.ts tests/scripts.test.ts tests/script_loader.test.ts tests/rate_limiter.test.ts tests/delay.test.ts ' +
    'tests/pause.test.ts tests/flow.test.ts tests/getters.test.ts tests/events.test.ts',
  env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: '6379', CI: 'true' },
  minutes: 12,
  read: vitest,
}

const rateLimiter: ClientSuite = {
  name: 'rate-limiter-flexible',
  summary: 'rate-limiter-flexible 11: its Redis limiters over ioredis and node-redis',
  prepare: ({ from, say }) =>
    npmInstall(
      gitSource('rate-limiter-flexible', 'animir/node-rate-limiter-flexible', 'v11.1.0', from, say),
      ['mocha@10', 'chai@4', 'sinon@19', 'ioredis@5', 'redis@4', 'ioredis-mock'],
      say,
    ),
  command:
    'npx --no-install mocha --exit --reporter json --reporter-option output=REPORT test/RateLimiterRedis.ioredis.test.js ' +
    'test/RateLimiterRedis.redis.test.js test/RateLimiterRedisNonAtomic.ioredis.test.js',
  minutes: 4,
  read: mocha,
}

const connectRedis: ClientSuite = {
  name: 'connect-redis',
  summary: 'connect-redis 9: sessions of Express',
  prepare: ({ from, say }) => {
    const source = gitSource('connect-redis', 'tj/connect-redis', 'v9.0.0', from, say)
    const folder = npmInstall(source, ['vitest@3', 'redis@5', 'express-session@1'], say)
    // Its own configuration is for building, and needs plugins.
    writeFileSync(join(folder, 'vitest.config.mjs'), "export default { test: { include: ['*_test.ts'] } }\n")
    return folder
  },
  command: 'npx --no-install vitest run --reporter=json --outputFile=REPORT',
  minutes: 3,
  read: vitest,
}

const keyv: ClientSuite = {
  name: 'keyv',
  summary: "@keyv/test-suite over @keyv/redis, on which cache-manager's stores stand",
  prepare: ({ say }) => {
    const folder = npmFolder('keyv', ['keyv@5', '@keyv/redis@5', '@keyv/test-suite@2', 'vitest@3'], say)
    writeFileSync(join(folder, 'keyv.test.js'), KEYV_TEST)
    return folder
  },
  command: 'npx --no-install vitest run --reporter=json --outputFile=REPORT',
  minutes: 3,
  read: vitest,
}

const KEYV_TEST = `import * as test from 'vitest'
import Keyv from 'keyv'
import KeyvRedis from '@keyv/redis'
import * as suite from '@keyv/test-suite'
const run = suite.default ?? suite.keyvTestSuite
run(test, Keyv, () => new KeyvRedis('redis://127.0.0.1:6379'))
`

const compatibility: ClientSuite = {
  name: 'resp-compatibility',
  summary: 'resp-compatibility at 7.0: 350 cases of commands and replies',
  prepare: ({ from, say }) => {
    const source = gitSource('resp-compatibility', 'tair-opensource/resp-compatibility', 'HEAD', from, say)
    const folder = pythonFolder(source, ['redis', 'pyyaml'], say)
    // Its cases are written for RESP2, and newer clients for Python speak RESP3 unless told.
    const file = join(folder, 'resp_compatibility.py')
    const text = readFileSync(file, 'utf8')
    if (!text.includes('protocol=2')) writeFileSync(file, text.replaceAll('redis.Redis(', 'redis.Redis(protocol=2, '))
    return folder
  },
  command:
    'venv/bin/python resp_compatibility.py --host 127.0.0.1 --port 6379 --testfile cts.json --specific-version 7.0.0 --show-failed',
  minutes: 4,
  read: respCompatibility,
}

export const CLIENT_SUITES: readonly Suite[] = [
  ioredis,
  redisPy,
  bullmq,
  rateLimiter,
  connectRedis,
  keyv,
  compatibility,
].map((suite) => ({ name: suite.name, summary: suite.summary, run: (request) => run(suite, request) }))

async function run(suite: ClientSuite, request: Request): Promise<Outcome> {
  const folder = suite.prepare(request)
  const report = join(tmpdir(), `millpond-${suite.name}-${process.pid}.report`)
  try {
    const output = await runInside({
      contender: request.contender,
      cwd: folder,
      command: suite.command.replaceAll('REPORT', report),
      env: suite.env ?? {},
      timeoutMs: suite.minutes * 60_000,
    })
    return suite.read(existsSync(report) ? readFileSync(report, 'utf8') : '', output)
  } finally {
    rmSync(report, { force: true })
  }
}
