/** The trades app of examples/ in a process of its own. A turn measures nothing: it tells where the app listens. */

import { startApp } from '../../../../examples/trades/src/app.ts'
import type { Contender } from '../../alternate.ts'

export interface Argument {
  readonly databaseUrl: string
  readonly skipCache: boolean
}

/** The answer to a turn: the app's port, and how many queries have reached the database so far. */
export async function prepare({ databaseUrl, skipCache }: Argument): Promise<Contender> {
  const app = await startApp({ databaseUrl, skipCache })
  const port = Number(new URL(app.url).port)
  return {
    name: skipCache ? 'app without cache' : 'app',
    turn: () => ({ port, queries: app.stats().queries }),
    close: () => app.close(),
  }
}
