/** The app by itself, in front of a database that has the table: DATABASE_URL, and PORT and SKIP_CACHE if you like. */
import { startApp } from './app.ts'
import { cacheIsSkipped, portOf, stopSignal } from './settings.ts'

try {
  const { DATABASE_URL: databaseUrl } = process.env
  if (!databaseUrl) throw new Error('set DATABASE_URL, for example to the address that npm start prints for psql')
  const stop = stopSignal(process.env)
  const app = await startApp({ databaseUrl, port: portOf(process.env), skipCache: cacheIsSkipped(process.env) })
  console.log(`the app runs at ${app.url}`)
  stop.addEventListener('abort', () => void app.close())
} catch (error) {
  console.error(`✗ ${(error as Error).message}`)
  process.exitCode = 1
}
