/** All that is kept of scripting: the Lua machine, scripts by their SHA1, libraries of functions, and the call that runs. */
import { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Client } from '../client.ts'
import type { CommandEntry } from '../command-table.ts'
import type { Service } from '../service.ts'
import { busy } from './busy.ts'
import { FunctionLibraries } from './function-libraries.ts'
import { pushBits } from './lua/bits.ts'
import { pushJson } from './lua/json.ts'
import { type LuaFunction, LuaMachine } from './lua/machine.ts'
import { pushMessagePack } from './lua/messagepack.ts'
import { pushRedis, pushRegistrar, type ScriptHost, sha1 } from './lua/redis-library.ts'
import { SANDBOX } from './lua/sandbox.ts'
import { pushStruct } from './lua/struct.ts'
import { GLOBALS, loadLua, type Pointer } from './lua/wasm.ts'
import { claimsNoWrites, parseScript, type ScriptFlag } from './script.ts'
import { ScriptClient } from './script-client.ts'
import { type ScriptCall, ScriptRun } from './script-run.ts'

/** A script that EVALSHA finds. */
interface Script {
  readonly sha: string
  readonly text: string
  readonly flags: ReadonlySet<ScriptFlag> | undefined
  /** The compiled function, kept in the machine. */
  readonly ref: number
}

export class Scripts {
  /** After how long other clients are told BUSY: `busy-reply-threshold`. */
  busyAfterMs = 5000
  /** Called with what scripts say by `redis.log`. Levels: 0 debug, 1 verbose, 2 notice, 3 warning. */
  onLog: (level: number, text: string) => void = () => {}
  readonly functions: FunctionLibraries
  readonly #service: Service
  readonly #scripts = new Map<string, Script>()
  /** By text, so that EVAL of a known one needs no SHA1. */
  readonly #byText = new Map<string, Script>()
  #machine: LuaMachine | undefined
  #client: ScriptClient | undefined
  #sandbox = 0

  constructor(service: Service) {
    this.#service = service
    this.functions = new FunctionLibraries(this)
  }

  /** The call that runs, or is suspended. */
  get run(): ScriptRun | undefined {
    return this.#client?.run
  }

  get count(): number {
    return this.#scripts.size
  }

  /** Bytes of the Lua machine: 0 before the first script. */
  get luaBytes(): number {
    return this.#machine?.bytes ?? 0
  }

  /** About how many bytes the texts of scripts take. */
  get textBytes(): number {
    let bytes = 0
    for (const { text } of this.#scripts.values()) bytes += text.length
    return bytes
  }

  /** The machine, made at the first use. */
  get machine(): LuaMachine {
    if (this.#machine) return this.#machine
    const machine = new LuaMachine(loadLua())
    const client = new ScriptClient(this.#service, machine)
    this.#machine = machine
    this.#client = client
    machine.pushFunction(machine.main, (state) => {
      machine.lua._lua_pushboolean(state, client.suspending ? 1 : 0)
      return 1
    })
    machine.setGlobal('__suspending')
    machine.run(SANDBOX, '=sandbox')
    this.#sandbox = this.#makeSandbox(machine, client)
    return machine
  }

  /** Pushes what scripts see as their globals. */
  pushSandbox(state: Pointer): void {
    this.machine.pushKept(state, this.#sandbox)
  }

  /** EVAL and its like. */
  evaluate(
    client: Client,
    text: string,
    keys: readonly string[],
    words: readonly string[],
    readOnly: boolean,
    reply: Reply,
  ): void {
    this.#callScript(client, this.load(text), keys, words, readOnly, reply)
  }

  /** EVALSHA and its like. @throws ReplyError NOSCRIPT */
  evaluateKnown(
    client: Client,
    sha: string,
    keys: readonly string[],
    words: readonly string[],
    readOnly: boolean,
    reply: Reply,
  ): void {
    const script = this.#scripts.get(sha.toLowerCase())
    if (script === undefined) throw new ReplyError('No matching script. Please use EVAL.', 'NOSCRIPT')
    this.#callScript(client, script, keys, words, readOnly, reply)
  }

  /** Compiles a script, or finds it. @throws ReplyError when it is no Lua */
  load(text: string): Script {
    const known = this.#byText.get(text)
    if (known) return known
    const sha = sha1(text)
    const { flags, body } = parseScript(text)
    const { machine } = this
    const problem = machine.load(machine.main, body, '@user_script')
    if (problem !== undefined) throw new ReplyError(`Error compiling script (new function): ${problem}`)
    this.pushSandbox(machine.main)
    machine.lua._lua_setfenv(machine.main, -2)
    const script = { sha, text, flags, ref: machine.keep(machine.main) }
    this.#scripts.set(sha, script)
    this.#byText.set(text, script)
    return script
  }

  has(sha: string): boolean {
    return this.#scripts.has(sha.toLowerCase())
  }

  /** Whether what a command would call says that it writes nothing. */
  writesNothing({ fullName }: CommandEntry, args: Arguments): boolean {
    if (fullName === 'fcall') return this.functions.find(args.text(1))?.flags.has('no-writes') ?? false
    if (fullName === 'evalsha') return this.#scripts.get(args.text(1).toLowerCase())?.flags?.has('no-writes') ?? false
    return fullName === 'eval' && claimsNoWrites(args.text(1))
  }

  /** SCRIPT FLUSH. */
  flush(): void {
    for (const { ref } of this.#scripts.values()) this.#machine?.drop(ref)
    this.#scripts.clear()
    this.#byText.clear()
  }

  /** Calls a function of Lua for a client. @throws ReplyError when what it says of itself forbids it */
  start(client: Client, scriptCall: ScriptCall, reply: Reply): void {
    const { machine } = this
    const run = new ScriptRun(machine, this.#client!, client, scriptCall, reply)
    this.#checkFlags(scriptCall, run)
    this.#client!.begin(run)
    run.begin()
  }

  /** A suspended call goes on. */
  resumeFor(run: ScriptRun): void {
    this.#client!.resumeFor(run)
  }

  /** A call is over. */
  left(run: ScriptRun): void {
    if (this.#client!.run === run) this.#client!.run = undefined
  }

  /** SCRIPT KILL and FUNCTION KILL. @throws ReplyError when there is nothing that can be killed so */
  kill(kind: ScriptCall['kind']): void {
    const { run } = this
    if (run === undefined) throw new ReplyError('No scripts in execution right now.', 'NOTBUSY')
    if (run.hasWritten) {
      throw new ReplyError(
        'Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
        'UNKILLABLE',
      )
    }
    if (run.call.kind !== kind) throw busy(run)
    run.kill()
  }

  #callScript(
    client: Client,
    script: Script,
    keys: readonly string[],
    words: readonly string[],
    readOnly: boolean,
    reply: Reply,
  ): void {
    const { machine } = this
    const { sha, flags, ref } = script
    const push = (state: Pointer): number => {
      this.#setGlobalList('KEYS', keys)
      this.#setGlobalList('ARGV', words)
      machine.pushKept(state, ref)
      return 0
    }
    this.start(client, { name: sha, kind: 'script', flags, readOnly, push }, reply)
  }

  /** Pushes a list of texts. */
  pushList(state: Pointer, texts: readonly string[]): void {
    const { machine } = this
    machine.lua._lua_createtable(state, texts.length, 0)
    for (const [at, text] of texts.entries()) {
      machine.pushText(state, text)
      machine.lua._lua_rawseti(state, -2, at + 1)
    }
  }

  /** Pushes what a library sees as `redis` while it is loaded. */
  pushRegistrar(state: Pointer, register: LuaFunction): void {
    pushRegistrar(this.machine, state, this.#host(this.#client!), register)
  }

  #setGlobalList(name: string, texts: readonly string[]): void {
    const { machine } = this
    machine.lua._lua_getfield(machine.main, GLOBALS, machine.name('__globals'))
    this.pushList(machine.main, texts)
    machine.setField(machine.main, -2, name)
    machine.pop(machine.main)
  }

  #checkFlags({ flags, readOnly }: ScriptCall, run: ScriptRun): void {
    if (flags === undefined || flags.has('no-writes')) return
    if (readOnly) throw new ReplyError('Can not execute a script with write flag using *_ro command.')
    if (run.outOfMemory && !flags.has('allow-oom')) {
      throw new ReplyError(
        "allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
        'OOM',
      )
    }
  }

  /** Makes the globals of scripts, and returns the number by which the machine keeps them. */
  #makeSandbox(machine: LuaMachine, client: ScriptClient): number {
    const { lua, main } = machine
    lua._lua_getfield(main, GLOBALS, machine.name('__sandbox'))
    lua._lua_createtable(main, 0, 8)
    const libraries: readonly [string, (state: Pointer) => void][] = [
      ['redis', (state) => pushRedis(machine, state, this.#host(client))],
      ['cjson', (state) => pushJson(machine, state)],
      ['cmsgpack', (state) => pushMessagePack(machine, state)],
      ['struct', (state) => pushStruct(machine, state)],
      ['bit', (state) => pushBits(machine, state)],
    ]
    for (const [name, push] of libraries) {
      push(main)
      machine.setField(main, -2, name)
    }
    if (lua._lua_pcall(main, 1, 1, 0) !== 0) throw new Error(machine.text(main, -1))
    return machine.keep(main)
  }

  #host(client: ScriptClient): ScriptHost {
    return {
      redisCall: (state, raises) => client.redisCall(state, raises),
      mayCall: (words) => {
        const args = Arguments.of(words)
        const entry = this.#service.commands.find(args)
        return entry && client.user.denial(entry, args) === undefined
      },
      setProtocol: (protocol) => {
        client.protocol = protocol
      },
      log: (level, text) => this.onLog(level, text),
    }
  }
}
