/** Runs a command beside a server on Redis's own port, in a network namespace that has nothing but loopback. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { standIn } from './contender.ts'
import { type Contender, NotHere } from './suite.ts'

export interface InsideRun {
  readonly contender: Contender
  readonly cwd: string
  readonly command: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

/** Returns what the command printed. A stand-in named `redis-server` is the first on its PATH: some suites start their own. */
export async function runInside({ contender, cwd, command, env, timeoutMs }: InsideRun): Promise<string> {
  checkNamespaces()
  const dir = mkdtempSync(join(tmpdir(), 'millpond-inside-'))
  writeFileSync(join(dir, 'redis-server'), standIn(contender))
  chmodSync(join(dir, 'redis-server'), 0o755)
  const script = [
    'ip link set lo up',
    `cd ${dir} && ./redis-server --port 6379 --save '' --enable-debug-command yes --dir ${dir} > ${dir}/server.log 2>&1 & server=$!`,
    'for i in $(seq 100); do redis-cli -p 6379 ping 2> /dev/null | grep -q PONG && break; sleep 0.1; done',
    `cd ${cwd} && (${command})`,
    'kill $server',
  ].join('\n')
  // In its own namespace of processes, whatever the suite leaves behind ends with it.
  const child = spawn('unshare', ['--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script], {
    env: { ...process.env, ...env, PATH: `${dir}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)))
  const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(limit)
  rmSync(dir, { recursive: true, force: true })
  return output
}

function checkNamespaces(): void {
  try {
    execFileSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' })
  } catch {
    throw new NotHere('network namespaces are not allowed here: run it as root, with unshare and ip')
  }
}
