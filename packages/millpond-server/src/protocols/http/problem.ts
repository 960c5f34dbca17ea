/** What went wrong with a request, as RFC 9457 wants it told: `application/problem+json`. */
import type { Failure } from './value-reply.ts'

/** What we say where no command has failed. */
const CODES = {
  INVALID: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOTFOUND: 404,
  METHOD: 405,
  EXISTS: 409,
  TOOLARGE: 413,
} as const

/** Statuses by the first word of a command's error. All others say that the request was wrong. */
export const STATUSES: Readonly<Record<string, number>> = {
  ...CODES,
  NOAUTH: 401,
  WRONGPASS: 401,
  NOPERM: 403,
  WRONGTYPE: 409,
  LIMIT: 429,
  OOM: 507,
  BUSY: 503,
  LOADING: 503,
  MISCONF: 503,
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
}

const INTERNAL = 'ERR internal error'

/** Thrown where a request cannot be served; answered as it is. */
export class Problem extends Error {
  readonly status: number
  readonly code: string

  /** @param code the stable word for it: `NOTFOUND`, `WRONGTYPE` … */
  constructor(code: keyof typeof CODES | (string & {}), detail: string, status: number = STATUSES[code] ?? 400) {
    super(detail)
    this.name = 'Problem'
    this.code = code
    this.status = status
  }

  /** What a command has answered. */
  static of(failure: Failure): Problem {
    const { code, message, text } = failure
    return new Problem(code, message, text.startsWith(INTERNAL) ? 500 : undefined)
  }

  /** Seconds after which it may go better, where that is known. */
  get retryAfter(): number | undefined {
    if (this.status === 503) return 1
    if (this.code !== 'LIMIT') return undefined
    const [, ms = '1000'] = /try again in (\d+) ms/.exec(this.message) ?? []
    return Math.max(1, Math.ceil(Number(ms) / 1000))
  }

  get json(): string {
    const { status, code, message } = this
    const type = `urn:millpond:problem:${code.toLowerCase()}`
    return JSON.stringify({ type, title: TITLES[status] ?? 'Error', status, detail: message, code })
  }
}
