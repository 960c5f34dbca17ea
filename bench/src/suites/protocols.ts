/** The suite `protocols`: what the service costs beyond RESP on a bare port: TLS, memcached, HTTP, tokens, fairness. */
import type { Row, Suite, SuiteContext } from '../suite.ts'
import { fairness } from './protocols/fairness.ts'
import { http } from './protocols/http.ts'
import { memcached } from './protocols/memcached.ts'
import { tls } from './protocols/tls.ts'
import { tokens } from './protocols/tokens.ts'
import { build } from './server/servers.ts'

/** Each part compares us with a named peer, or with ourselves without what it measures. */
const PARTS: Readonly<Record<string, (context: SuiteContext) => Promise<Row[]>>> = {
  tls,
  memcached,
  http,
  tokens,
  fairness,
}

export const suite: Suite = {
  name: 'protocols',
  summary: 'the service by TLS, memcached and HTTP beside the servers that people have, and what tokens cost',
  options: { only: { type: 'string', summary: `one of ${Object.keys(PARTS).join(', ')}` } },
  async run(context) {
    const { only } = context.options
    context.progress('building')
    build()
    const rows: Row[] = []
    for (const [name, part] of Object.entries(PARTS)) {
      if (only === undefined || only === name) rows.push(...(await part(context)))
    }
    return rows
  },
}
