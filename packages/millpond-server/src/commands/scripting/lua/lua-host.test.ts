import { expect, test } from 'vitest'
import { LuaMachine } from './machine.ts'
import { loadLua } from './wasm.ts'

test('Lua finds no files and no programs behind its libraries, even where a sandbox lets it ask', () => {
  const machine = new LuaMachine(loadLua())
  for (const [call, asked] of [
    ["io.open('/etc/passwd')", '__syscall_openat'],
    ["os.execute('true')", '_emscripten_system'],
    ["os.remove('/none/of/these')", '__syscall_unlinkat'],
    ["print('x')", 'fd_write'],
  ] as const) {
    expect(() => machine.run(call, '=test'), call).toThrow(`Lua has asked its host for ${asked}`)
  }
  machine.run("assert(os.getenv('PATH') == nil)", '=test')
})

test('errors leave functions of both sides, and memory grows under what is being pushed', () => {
  const machine = new LuaMachine(loadLua())
  machine.pushFunction(machine.main, (state) => machine.raiseText(state, 'from outside'))
  machine.setGlobal('fail')
  machine.run("local ok, why = pcall(fail) assert(not ok and why == 'from outside')", '=test')
  const before = machine.lua.HEAPU8.length
  machine.run("kept = string.rep(string.rep('x', 2 ^ 16), 400)", '=test')
  expect(machine.lua.HEAPU8.length).toBeGreaterThan(before)
  machine.lua._lua_getfield(machine.main, -10_002, machine.name('kept'))
  expect(machine.text(machine.main, -1) === 'x'.repeat(400 * 2 ** 16)).toBe(true)
  machine.run('kept = nil', '=test')
})
