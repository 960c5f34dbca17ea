/** What can be chosen on the command line and by the environment. */
import { parseArgs } from 'node:util'

export interface Settings {
  /** Whether to exit after the story. */
  once: boolean
  rows: number
  /** An existing database to use. Default: start a server. */
  databaseUrl: string | undefined
  /** Whose server to start: the one inside the npm package, or the system's. */
  postgres: 'embedded' | 'system'
  port: number
  skipCache: boolean
}

const USAGE = `npm start -- [--once] [--rows 1000000] [--postgres embedded|system]
  --once       exit after the story; the exit code is 1 where something was not as promised
  --rows       how many trades to load
  --postgres   start the PostgreSQL of the npm package (default), or one that is installed here
Environment: DATABASE_URL uses that database instead, PORT is the app's, SKIP_CACHE=true leaves the app without a cache,
NO_COLOR prints plainly`

/** Throws for what is not understood, with what is. */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  try {
    return parse(args, env)
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`, { cause: error })
  }
}

function parse(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      rows: { type: 'string', default: '1000000' },
      postgres: { type: 'string', default: 'embedded' },
    },
  })
  const { once, postgres } = values
  if (postgres !== 'embedded' && postgres !== 'system')
    throw new Error(`--postgres ${postgres}: give embedded or system`)
  return {
    once,
    postgres,
    rows: wholeNumber('--rows', values.rows, 1000),
    databaseUrl: env.DATABASE_URL || undefined,
    port: portOf(env),
    skipCache: cacheIsSkipped(env),
  }
}

/** 0, any that is free, where PORT is not set. */
export function portOf(env: NodeJS.ProcessEnv): number {
  return wholeNumber('PORT', env.PORT || '0', 0)
}

export function cacheIsSkipped(env: NodeJS.ProcessEnv): boolean {
  return env.SKIP_CACHE === 'true'
}

const PARENT_CHECK_MS = 250

/** Aborted by Ctrl-C and SIGTERM. A second Ctrl-C ends the process there and then. */
export function stopSignal(env: NodeJS.ProcessEnv): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
  if (env.npm_lifecycle_event === undefined) return controller.signal
  // npm passes SIGTERM to the shell between us, which ends without passing it on.
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) controller.abort()
  }, PARENT_CHECK_MS).unref()
  return controller.signal
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new Error(`${name} ${text}: give a whole number of at least ${least}`)
}
