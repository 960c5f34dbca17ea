/** Runs modules one after the other in this process, and prints as JSON what each printed, or what it threw. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'

/** How a module ended. */
export interface Outcome {
  readonly error: string | undefined
  readonly printed: readonly string[]
}

const [folder, ...files] = process.argv.slice(2)
const outcomes: Record<string, Outcome> = {}
for (const file of files) outcomes[file] = await run(pathToFileURL(join(folder!, file)).href)
process.stdout.write(JSON.stringify(outcomes), () => process.exit())

async function run(url: string): Promise<Outcome> {
  const printed: string[] = []
  console.log = (...parts: unknown[]) => void printed.push(format(...parts))
  try {
    await import(url)
    return { error: undefined, printed }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error), printed }
  }
}
