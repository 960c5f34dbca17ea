/**
 * Throw-away certificates for TLS in tests: an authority of its own, and what it signs, valid for a day. Node has no
 * call that makes a certificate, and `openssl` is not on every machine, so the X.509 form is written here: RFC 5280 in
 * DER (X.690), with keys of the curve P-256.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A certificate and its private key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An authority that signs certificates. */
export interface Authority {
  /** Its own certificate, as PEM: what `ca` wants. */
  readonly cert: string
  /** A certificate for 127.0.0.1 and localhost, for servers and for clients. */
  issue(name: string): Certificate
}

const DAY_MS = 86_400_000
const ECDSA_WITH_SHA256 = '06082a8648ce3d040302'
const COMMON_NAME = '0603550403'
const BASIC_CONSTRAINTS = '0603551d13'
const SUBJECT_ALT_NAME = '0603551d11'

/** Makes an authority with a new key. */
export function createAuthority(name = 'millpond tests'): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const isAuthority = extension(BASIC_CONSTRAINTS, der(0x30, der(0x01, Buffer.from([0xff]))))
  return {
    cert: certificate(name, privateKey, name, publicKey, isAuthority),
    issue: (subject) => {
      const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = [der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost'))]
      const alsoKnownAs = extension(SUBJECT_ALT_NAME, der(0x30, ...names))
      return {
        cert: certificate(name, privateKey, subject, keys.publicKey, alsoKnownAs),
        key: String(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      }
    },
  }
}

function certificate(issuer: string, signer: KeyObject, subject: string, key: KeyObject, more: Buffer): string {
  const algorithm = der(0x30, Buffer.from(ECDSA_WITH_SHA256, 'hex'))
  const now = Date.now()
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    nameOf(issuer),
    der(0x30, time(now - DAY_MS), time(now + DAY_MS)),
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, more)),
  )
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)]))
  const base64 = der(0x30, body, algorithm, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}

function nameOf(commonName: string): Buffer {
  const attribute = der(0x30, Buffer.from(COMMON_NAME, 'hex'), der(0x0c, Buffer.from(commonName)))
  return der(0x30, der(0x31, attribute))
}

/** UTCTime: YYMMDDhhmmssZ. */
function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/\D/g, '')
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

function extension(id: string, value: Buffer): Buffer {
  return der(0x30, Buffer.from(id, 'hex'), der(0x04, value))
}

/** Tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const long = [...(length > 0xff ? [length >> 8] : []), length & 0xff]
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | long.length, ...long]
  return Buffer.concat([Buffer.from(head), content])
}
