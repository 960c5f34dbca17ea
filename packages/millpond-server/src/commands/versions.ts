/** Which versions we say that we are. */
import { readFileSync } from 'node:fs'

/** The version of Redis that clients may take us for: they choose by it what they send. */
export const REDIS_VERSION = '7.0.15'

/** Our own. */
export const MILLPOND_VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
