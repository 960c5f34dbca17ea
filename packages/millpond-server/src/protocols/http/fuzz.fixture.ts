/** Bytes that are almost HTTP, by a seed. */

type Chance = () => number

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE', 'get', 'G\0T', '']
const PATHS = [
  ...[
    '/',
    '/get/a',
    '/set/a',
    '/incr/n',
    '/lpush/l/x',
    '/pipeline',
    '/multi-exec',
    '/eval',
    '/keys/*',
    '/info',
    '//',
    '/%',
    '/%ff/%00',
  ],
  ...[
    '/cache/default',
    '/cache/none',
    '/cache/',
    '/topics/default/t?timeout_seconds=0&',
    '/topics/default/t/u',
    '/admin/caches',
    '/admin/tokens',
  ],
  ...[
    '/admin/slowlog',
    '/health/ready',
    '/metrics',

    '/select/5',
    '/multi',
    '/hello/3',

    '*',
    'http://x/get/a',
  ],
]
/** After these a connection does nothing more. */
const LAST = ['/quit', '/subscribe/s', '/monitor', '/topics/default/t']
const QUERIES = [
  'key=a',
  'key_base64=YQ',
  'key_base64=%',
  'ttl_seconds=1',
  'ttl_seconds=x',
  'timeout_seconds=0',
  'sequence_number=1',
  'EX=1',
  'NX',
  '=',
  '%zz',
  'token=x',
  '_token=y',
]
const HEADERS = [
  ...[
    'Content-Length: 3',
    'Content-Length: x',
    'Transfer-Encoding: chunked',
    'Upstash-Encoding: base64',
    'Upstash-Response-Format: resp2',
  ],
  ...[
    'Authorization: Bearer x',
    'Authorization: Basic YTpi',
    'Authorization: Basic %',
    'Authorization: ',
    'Expect: 100-continue',
  ],
  ...[
    'Connection: close',
    'Connection: upgrade',
    'Upgrade: websocket',
    'Origin: x',
    'Host: evil.example',
    ': x',
    'X',
    'X: \0',
  ],
]
const BODIES = [
  '["SET","a",1]',
  '[["INCR","n"],["GET","a"]]',
  '{"name":"a"}',
  '[',
  '[[]]',
  '["EVAL","return 1",0]',
  '\xff\0',
  'null',
  '[1e400]',
]

/** One connection's worth: requests with odd parts, some of them broken. */
export function oddRequests(random: Chance, bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let length = 0; length < bytes; ) {
    const part = oddRequest(random)
    parts.push(part)
    length += part.length
  }
  return Buffer.concat(parts)
}

function oddRequest(random: Chance): Buffer {
  const wants = (chance: number): boolean => random() < chance
  const query = wants(0.5) ? `?${some(QUERIES, random, 3).join('&')}` : ''
  const body = wants(0.6) ? (wants(0.002) ? 'x'.repeat(Math.floor(random() * 50_000)) : pick(BODIES, random)) : ''
  const head = [
    `${wants(0.99) ? pick(METHODS.slice(0, 5), random) : pick(METHODS, random)} ${pick(wants(0.9999) ? PATHS : LAST, random)}${query} HTTP/1.${wants(0.995) ? 1 : 0}`,
    ...(wants(0.99) ? ['Host: localhost'] : []),
    ...(wants(0.995) ? [`Content-Length: ${body.length}`] : []),
    ...(wants(0.05) ? some(HEADERS, random, 2) : []),
  ]
  const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1')
  const fate = random()
  if (fate < 0.005) request[Math.floor(random() * request.length)]! ^= 1 << Math.floor(random() * 8)
  else if (fate < 0.007) return request.subarray(0, Math.floor(random() * request.length))
  return request
}

function pick<T>(list: readonly T[], random: Chance): T {
  return list[Math.floor(random() * list.length)]!
}

function some<T>(list: readonly T[], random: Chance, max: number): T[] {
  return Array.from({ length: Math.ceil(random() * max) }, () => pick(list, random))
}
