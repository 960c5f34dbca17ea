/** Who may change caches and tokens. */
import { ReplyError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import type { Host } from '../host.ts'
import type { Entrance } from './entrance.ts'

/** The host of an admin. @throws ReplyError NOPERM: it is none */
export function administered(client: Client): Host & { readonly entrance: Entrance } {
  const { host } = client.service
  if (host?.entrance === undefined) throw new ReplyError('this server has one cache, and no tokens')
  if (host.entrance.mayAdminister(client)) return host as Host & { readonly entrance: Entrance }
  throw new ReplyError(
    "only an admin's token, or a user of the default cache who may do everything, may do this",
    'NOPERM',
  )
}
