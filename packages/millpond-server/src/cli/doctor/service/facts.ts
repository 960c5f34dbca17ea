/** What is asked of a service, and of its machine where it is this one, before anything is judged. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ServiceError } from 'millpond'
import { fieldsOf, type Greeting, type Service } from 'millpond/service'
import { isLoopback } from '../../../security/exposure.ts'
import { type InfoFields, readInfo } from '../../observe/info.ts'
import { connect, isSecure, type Reach } from '../../reach.ts'

export interface ServiceFacts {
  readonly place: string
  readonly isLocal: boolean
  readonly greeting: Greeting
  /** How long a PING takes, the middle one of several. */
  readonly pingMs: number
  /** How far the clock there is ahead of ours, and how sure that is. */
  readonly clock: { readonly aheadMs: number; readonly withinMs: number }
  /** `undefined`: it does not speak TLS. */
  readonly certificateEndsAtMs: number | undefined
  /** Whether somebody without a token comes in. */
  readonly isOpen: boolean
  /** INFO and the parameters; `undefined`: this token may not ask. */
  readonly info: InfoFields | undefined
  readonly parameters: Readonly<Record<string, string>> | undefined
  /** Of the server's process, where it runs on this machine. */
  readonly process: { readonly openFilesMax: number; readonly swappedKb: number } | undefined
}

/** @throws ServiceError when it cannot be reached */
export async function readFacts(service: Service, reach: Reach): Promise<ServiceFacts> {
  const greeting = await service.ready()
  const info = await allowed(readInfo(service, 'everything'))
  const parameters = await allowed(service.command('CONFIG', 'GET', '*').then(fieldsOf))
  const host = hostOf(service.place)
  const isLocal = host === undefined || isLoopback(host)
  return {
    place: service.place,
    isLocal,
    greeting,
    pingMs: await pingMs(service),
    clock: await clockOf(service),
    certificateEndsAtMs: isSecure(reach.url) ? await certificateEnd(service.place) : undefined,
    isOpen: await isOpen(reach),
    info,
    parameters: parameters as Readonly<Record<string, string>> | undefined,
    process: isLocal && info !== undefined ? processFacts(Number(info.process_id)) : undefined,
  }
}

/** What a token may not ask is left out. */
async function allowed<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ServiceError && error.reason === 'access') return undefined
    throw error
  }
}

async function pingMs(service: Service): Promise<number> {
  const took: number[] = []
  for (let turn = 0; turn < 11; turn++) {
    const beganMs = performance.now()
    await service.command('PING')
    took.push(performance.now() - beganMs)
  }
  return took.sort((one, other) => one - other)[5]!
}

async function clockOf(service: Service): Promise<ServiceFacts['clock']> {
  const askedAtMs = Date.now()
  const [seconds, micros] = (await service.command('TIME')) as [string, string]
  const answeredAtMs = Date.now()
  const thereMs = Number(seconds) * 1000 + Number(micros) / 1000
  return { aheadMs: thereMs - (askedAtMs + answeredAtMs) / 2, withinMs: (answeredAtMs - askedAtMs) / 2 + 1 }
}

/** Whether it lets somebody in who says nothing. */
async function isOpen(reach: Reach): Promise<boolean> {
  const stranger = connect({ ...reach, url: reach.url.replace(/^([a-z+]+:\/\/)[^@/]*@/, '$1') })
  try {
    await stranger.ready()
    return true
  } catch {
    return false
  } finally {
    await stranger.close()
  }
}

/** When the certificate that a place shows ends, whether it is trusted or not. */
function certificateEnd(place: string): Promise<number | undefined> {
  const host = hostOf(place)
  const port = Number(/:(\d+)$/.exec(place)?.[1])
  if (host === undefined) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const named = isIP(host) === 0 ? { servername: host } : {}
    const socket = connectTls({ host, port, ...named, rejectUnauthorized: false }, () => {
      resolve(Date.parse(socket.getPeerCertificate().valid_to))
      socket.destroy()
    })
    socket.on('error', () => resolve(undefined))
  })
}

/** `undefined`: a Unix socket. */
function hostOf(place: string): string | undefined {
  return place.startsWith('/') ? undefined : place.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}

/** Where the system tells it, which is Linux. */
function processFacts(pid: number): ServiceFacts['process'] {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const files = /^Max open files\s+(\S+)/m.exec(limits)?.[1]
    const openFilesMax = files === 'unlimited' ? Number.POSITIVE_INFINITY : Number(files)
    return { openFilesMax, swappedKb: Number(/^VmSwap:\s+(\d+)/m.exec(status)?.[1] ?? 0) }
  } catch {
    return undefined
  }
}
