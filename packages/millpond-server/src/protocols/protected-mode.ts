/**
 * `protected-mode`: as long as everybody may do everything, only this machine is let in. Who wants it otherwise demands a
 * password or tokens, or says `protected-mode no`.
 */
import type { Service } from '../commands/service.ts'
import { isLoopback } from '../security/exposure.ts'

export const DENIED: Buffer = Buffer.from(
  '-DENIED millpond serve runs in protected mode: clients need no password, so only connections from the machine itself are accepted. Set a password (requirepass) or demand tokens; or, if everybody who can reach this address is trusted, CONFIG SET protected-mode no from the machine itself.\r\n',
)

/** Whether a peer is not let in. @param address of the peer; `undefined`: it came by a Unix socket */
export function isDenied({ configuration, accessControl }: Service, address: string | undefined): boolean {
  return (
    address !== undefined &&
    configuration.is('protected-mode') &&
    !accessControl.mustAuthenticate &&
    !isLoopback(address)
  )
}
