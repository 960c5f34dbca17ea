/**
 * The main job, `npm start`: a PostgreSQL with a million trades, the app in front of it, and the story of what the cache
 * saves. Then the app stays up until Ctrl-C.
 */
import { once } from 'node:events'
import { startApp } from './app.ts'
import { openDatabase } from './database.ts'
import { readSettings, type Settings, stopSignal } from './settings.ts'
import { insertSql, tellStory } from './story.ts'
import { Terminal } from './terminal.ts'

const terminal = new Terminal(process.stdout, process.env)
const stop = stopSignal(process.env)

try {
  const allKept = await run(readSettings(process.argv.slice(2), process.env))
  process.exitCode = allKept ? 0 : 1
} catch (error) {
  // Ctrl-C reaches PostgreSQL as well, and what was under way then fails: no news.
  if (!stop.aborted) {
    terminal.print('', `${terminal.paint('red', '✗')} ${(error as Error).message}`)
    process.exitCode = 1
  }
}

/** Ends with everything closed, whichever way. Resolves with whether all went as promised, when that is asked with --once. */
async function run({ once: onlyOnce, port, skipCache, ...settings }: Settings): Promise<boolean> {
  terminal.print(
    '',
    `  ${terminal.paint('bold', 'Millpond')}: a database, calmed by a cache that its change log keeps fresh`,
    '',
  )
  await using database = await openDatabase({ ...settings, terminal, signal: stop })
  const { url: databaseUrl } = database
  await using app = await startApp({ databaseUrl, skipCache, port })
  await using other = await startApp({ databaseUrl, skipCache: !skipCache })
  const [cached, plain] = skipCache ? [other, app] : [app, other]

  const allKept = await tellStory({ cached, plain, databaseUrl, signal: stop }, terminal)
  if (onlyOnce) return allKept
  showWhatToTry(app.url, other.url, databaseUrl, skipCache)
  if (!stop.aborted) await once(stop, 'abort')
  terminal.print('', '  stopping')
  return true
}

function showWhatToTry(url: string, otherUrl: string, databaseUrl: string, skipCache: boolean): void {
  const insert = insertSql({ symbol: 'MILL', side: 'buy', price: 42.5, quantity: 100 })
  terminal.print(
    '',
    `  The app runs at ${terminal.paint('bold', url)}${skipCache ? ' without the cache' : ''}`,
    '  Open it in a browser, and try these beside it:',
    `    curl -i ${url}/trades/MILL/buy`,
    `    psql '${databaseUrl}' -c "${insert}"`,
    `    curl ${url}/trades -H 'content-type: application/json' -d '{"symbol":"MILL","side":"buy","price":42.5,"quantity":100}'`,
    `    curl -i ${otherUrl}/trades/MILL/buy   the same ${skipCache ? 'with' : 'without'} the cache`,
    '  Ctrl-C stops it all.',
  )
}
