/**
 * A certificate that is its own authority, for a service that nobody else vouches for yet.
 *
 * Node signs, but writes no certificates. The package for it (selfsigned 5) comes with 23 packages and 9 MB, and openssl is not
 * on every machine, least of all in slim containers; what is to be written is these hundred lines of RFC 5280. The key and the
 * signature are of node:crypto: nothing secret is made here.
 */
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP, isIPv4, SocketAddress } from 'node:net'
import { bits, context, implicit, integer, moment, octets, oid, sequence, setOf, utf8, yes } from './der.ts'

/** A certificate and its key, in PEM. */
export interface KeyAndCertificate {
  readonly key: string
  readonly certificate: string
}

const DAY_MS = 86_400_000
/** As long as Apple's and Google's clients take one. */
const DAYS = 825

/** @param names hosts and addresses that it is for */
export function selfSigned(names: readonly string[], nowMs: number): KeyAndCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const algorithm = sequence(oid(ECDSA_WITH_SHA256))
  const holder = sequence(setOf(sequence(oid(COMMON_NAME), utf8('millpond'))))
  const body = sequence(
    context(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm,
    holder,
    sequence(moment(nowMs - DAY_MS), moment(nowMs + DAYS * DAY_MS)),
    holder,
    publicKey,
    context(3, sequence(...extensions(names))),
  )
  const signature = sign('sha256', body, createPrivateKey(privateKey))
  return { key: privateKey, certificate: pem(sequence(body, algorithm, bits(signature))) }
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const ALTERNATIVE_NAMES = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SERVER = '1.3.6.1.5.5.7.3.1'

/** It signs itself, so it is an authority; it signs keys of connections, so it is a server's. */
function extensions(names: readonly string[]): Buffer[] {
  const signsAndVouches = Buffer.from([0x03, 0x02, 0x02, 0x84])
  return [
    sequence(oid(ALTERNATIVE_NAMES), octets(sequence(...names.map(alternativeName)))),
    sequence(oid(BASIC_CONSTRAINTS), yes(), octets(sequence(yes()))),
    sequence(oid(KEY_USAGE), yes(), octets(signsAndVouches)),
    sequence(oid(EXTENDED_KEY_USAGE), octets(sequence(oid(SERVER)))),
  ]
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 0 ? implicit(2, Buffer.from(name)) : implicit(7, addressBytes(name))
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  // In full and without an embedded IPv4 address, as SocketAddress writes it, except for '::'.
  const { address: plain } = new SocketAddress({ address, family: 'ipv6' })
  const [head, tail] = plain.split('::') as [string, string | undefined]
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const zeros = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...Array<string>(zeros).fill('0'), ...groups(tail ?? '')]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** Above 0 and never seen before. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
