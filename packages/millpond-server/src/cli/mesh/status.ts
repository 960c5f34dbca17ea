/** `millpond mesh status`: one look at a mesh. */
import { picture } from './picture.ts'
import { type Survey, survey } from './survey.ts'
import { type MeshFlags, visit } from './visit.ts'

/** Some maps are not equal on all peers. */
const EXIT_DIFFERENT = 3

/** Prints what is found, and returns the exit code. */
export async function status(flags: MeshFlags): Promise<number> {
  const found = await visit(flags, survey)
  process.stdout.write(flags.json ? `${JSON.stringify(found, undefined, 2)}\n` : `${picture(found).join('\n')}\n`)
  return exitCodeOf(found)
}

/** 0 where maps are equal, 1 where nobody answered. */
export function exitCodeOf({ equal, peers }: Survey): number {
  if (!peers.some(({ answers, observes }) => answers && !observes)) return 1
  return equal ? 0 : EXIT_DIFFERENT
}
