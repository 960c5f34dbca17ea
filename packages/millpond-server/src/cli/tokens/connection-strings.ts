/** How clients of each protocol are told where a cache is and what opens it. */

export interface ConnectionStrings {
  /** For clients of Redis, and `millpond/service`. */
  readonly redis: string
  /** Where the host is, and under which name. */
  readonly host: string
  readonly port: number
}

/** Those of a service whose URL is known. */
export function stringsOf(url: string, cache: string, token: string): ConnectionStrings {
  const [, scheme = 'millpond:', rest = '127.0.0.1'] = /^([a-z+]+:)\/\/(?:[^@/]*@)?(.*)$/s.exec(url) ?? []
  const secure = /s:$/.test(scheme) && scheme !== 'redis:'
  const place = /^(?:\[([^\]]+)\]|([^:/]+))(?::(\d+))?/.exec(rest)
  const login = `${encodeURIComponent(cache)}:${encodeURIComponent(token)}@`
  return {
    redis: scheme === 'unix:' ? `unix://${login}${rest}` : `${secure ? 'rediss' : 'redis'}://${login}${rest}`,
    host: place?.[1] ?? place?.[2] ?? '',
    port: Number(place?.[3] ?? 6379),
  }
}
