/**
 * How threads accept connections on one port. Node 23.1 and later can open a socket for each thread, and the kernel spreads
 * connections over them. Before that the workers listen at the socket that home has opened, by its descriptor, and whoever is free accepts.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import type { PortSharing } from '../protocols/place.ts'

/** Whether this Node gives several sockets one port. */
export const CAN_SHARE_PORTS: boolean = process.platform === 'linux' && isAtLeast(process.versions.node, 23, 1)

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ofMajor = 0, ofMinor = 0] = version.split('.').map(Number)
  return ofMajor > major || (ofMajor === major && ofMinor >= minor)
}

/** How the first of so many threads listens. */
export function portSharing(threads: number): PortSharing {
  if (threads > 1 && !CAN_SHARE_PORTS) spreadAccepting()
  return threads > 1 && CAN_SHARE_PORTS ? 'first' : 'none'
}

/** libuv lets a thread that has accepted one connection rest for a moment, so that others get the next one: read when it first listens. */
function spreadAccepting(): void {
  process.env.UV_TCP_SINGLE_ACCEPT ??= '1'
}

const DESCRIPTORS_MAX = 4096

/**
 * Each thread that has listened at a descriptor closes it at its end, whatever it is by then. Until all have done so something
 * that nobody needs is put in its place.
 */
export function occupy(descriptors: readonly number[]): void {
  for (const wanted of descriptors) {
    const others: number[] = []
    while (!isOpen(wanted) && others.length < DESCRIPTORS_MAX) {
      const opened = openSync('/dev/null', 'r')
      if (opened !== wanted) others.push(opened)
    }
    for (const other of others) closeSync(other)
  }
}

function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}
