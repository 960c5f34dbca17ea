/** How commands reach a service, and where what their options do not say comes from. */
import { readFileSync } from 'node:fs'
import { type Duration, OptionError } from 'millpond'
import { connectService, type Service } from 'millpond/service'
import { type Profile, profileNamed, readProfiles } from './profiles.ts'
import type { ReachFlags } from './reach-flags.ts'

/** Where a command goes. */
export interface Reach {
  readonly url: string
  /** The certificate that is trusted, in PEM. */
  readonly ca: string | undefined
  readonly insecure: boolean
  readonly timeout: Duration | undefined
}

export const DEFAULT_URL = 'millpond://127.0.0.1:6379'

/** Where to go, by the options, the environment and the profiles. @throws OptionError */
export function reachOf(flags: ReachFlags, env: NodeJS.ProcessEnv = process.env): Reach {
  const { url, ca: kept } = placeOf(flags, env)
  const caFile = flags.ca ?? env.MILLPOND_CA
  return {
    url: withLogin(url, flags.cache ?? env.MILLPOND_CACHE, flags.token ?? env.MILLPOND_TOKEN),
    ca: caFile === undefined ? kept : pem(caFile),
    insecure: flags.insecure === true,
    timeout: flags.timeout as Duration | undefined,
  }
}

function placeOf({ url, profile }: ReachFlags, env: NodeJS.ProcessEnv): Profile {
  if (url !== undefined) return { url }
  if (profile !== undefined) return profileNamed(profile)
  if (env.MILLPOND_URL) return { url: env.MILLPOND_URL }
  const { current, profiles } = readProfiles()
  return (current === undefined ? undefined : profiles[current]) ?? { url: DEFAULT_URL }
}

/** The URL with another cache or token. */
function withLogin(url: string, cache: string | undefined, token: string | undefined): string {
  if (cache === undefined && token === undefined) return url
  const parts = /^([a-z+]+:\/\/)(?:([^@/]*)@)?(.*)$/s.exec(url)
  if (parts === null) return url
  const [, scheme, login = '', rest] = parts
  const [user = '', secret] = login.split(':')
  const own = cache === undefined ? user || 'default' : encodeURIComponent(cache)
  const password = token === undefined ? secret : encodeURIComponent(token)
  return `${scheme}${own}${password === undefined ? '' : `:${password}`}@${rest}`
}

function pem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new OptionError('ca', file, `it cannot be read: ${(error as Error).message}`)
  }
}

/** A client of where that is. */
export function connect({ url, ca, insecure, timeout }: Reach): Service {
  const tls = { ...(ca !== undefined && { ca }), ...(insecure && { rejectUnauthorized: false }) }
  return connectService(url, {
    whileAway: 'fail',
    ...((ca !== undefined && isSecure(url)) || insecure ? { tls } : {}),
    ...(timeout !== undefined && { timeout }),
  })
}

/** Whether a URL asks for TLS. */
export function isSecure(url: string): boolean {
  return /^(?:millponds|rediss|valkeys):/.test(url)
}

/** Does something with a service, and ends the connection. */
export async function withService<Result>(
  flags: ReachFlags,
  work: (service: Service) => Promise<Result>,
): Promise<Result> {
  const service = connect(reachOf(flags))
  try {
    return await work(service)
  } finally {
    await service.close()
  }
}
