/** `millpond mesh`: its commands and their options. What they do is loaded when one is asked for. */
import { type Command, InvalidArgumentError } from 'commander'
import type { MeshFlags } from './visit.ts'

/** Ends the program with this code once nothing is left to do. */
type Exit = (code: number) => void

/** Adds `mesh` and its commands to the program. */
export function addMeshCommands(program: Command, exit: Exit): void {
  const mesh = program
    .command('mesh')
    .description('look at a mesh from outside: who is there, what they hold, how fast they answer')
    .usage('<command> [options]')
    .argument('[command]')
    .allowExcessArguments()
    .action((name: string | undefined, _options: object, self: Command) => {
      if (name === undefined) self.outputHelp()
      else self.error(`error: there is no command 'mesh ${name}'; see millpond mesh --help`)
    })
    .addHelpText('after', SOURCES)

  visiting(mesh, 'status', 'every peer, its maps with sizes and checksums, and whether they are equal')
    .addHelpText('after', '\nExit code: 0 maps are equal, 1 nobody found or nobody answered, 3 maps differ.')
    .action(async (flags: MeshFlags) => exit(await (await import('./status.ts')).status(flags)))

  visiting(mesh, 'watch', 'the same, live, until q or Ctrl-C; plain lines where there is no terminal')
    .option('--every <seconds>', 'how often to look', positive, 1)
    .option('--count <n>', 'end after so many looks', whole)
    .action(async (flags: MeshFlags & { every: number; count?: number }) =>
      exit(await (await import('./watch.ts')).watch(flags)),
    )

  visiting(mesh, 'ping', 'how long each peer takes to answer')
    .option('--count <n>', 'questions to each peer', whole, 5)
    .option('--every <seconds>', 'the pause between them', positive, 0.2)
    .addHelpText('after', '\nExit code: 0 every peer answered every question, 1 nobody found or answers are missing.')
    .action(async (flags: MeshFlags & { count: number; every: number }) =>
      exit(await (await import('./ping.ts')).ping(flags)),
    )

  mesh
    .command('bench')
    .description('set-to-seen and throughput between this process and one that it starts, in a mesh of their own')
    .option('--interface <name>', 'name or address of a network interface (default: the loopback)')
    .option('--port <port>', 'of the multicast group', whole)
    .option('--seconds <n>', 'of each measurement', positive, 2)
    .option('--json', 'print JSON')
    .action(async (flags: { interface?: string; port?: number; seconds: number; json?: boolean }) =>
      exit(await (await import('./bench.ts')).bench(flags)),
    )

  mesh
    .command('bench-peer', { hidden: true })
    .action(async () => exit(await (await import('./bench-peer.ts')).benchPeer()))
}

const SOURCES = `
What is not given is taken from MILLPOND_MESH_NAME, MILLPOND_MESH_KEY, MILLPOND_MESH_INTERFACE … and from
"millpond": { "mesh": { … } } of package.json, as joinMesh does. A key on the command line can be seen by others on
this machine: the variable is better. The command joins as a peer that only looks, and takes over no entries.`

/** A command that visits a mesh, with the options that all of those have. */
function visiting(mesh: Command, name: string, description: string): Command {
  return mesh
    .command(name)
    .description(description)
    .option('--name <mesh>', 'the name of the mesh')
    .option('--key <key>', 'its key, or several separated by commas')
    .option('--interface <name>', 'name or address of the network interface')
    .option('--port <port>', 'of the multicast group', whole)
    .option('--seeds <list>', 'addresses and names of members, separated by commas, or file:<path>')
    .option('--insecure', 'without a key, leave the machine all the same')
    .option('--wait <seconds>', 'how long to look for peers', positive, 3)
    .option('--json', 'print JSON')
}

function whole(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('Give a whole number from 1 up.')
}

function positive(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('Give a number above 0.')
}
