/**
 * What scripts see of Lua. One state serves all scripts, so none may leave anything behind for the next: the globals and
 * every library are shown through empty tables that read from the real ones and refuse to be written.
 *
 * `pcall` and `xpcall` run their function in a coroutine of its own. Lua 5.1 can not suspend a function through a C
 * function such as its own `pcall`, and a script that has run too long has to be suspended wherever it is, so that the
 * server can answer others while it decides what becomes of it (script-run.ts). For the same reason `coroutine.resume`
 * hands on a suspension that is the server's, not the script's.
 */

/** Run once, with `__suspending`: whether the server suspends the script now. Leaves `__sandbox(libraries)`. */
export const SANDBOX = `
local suspending = __suspending
local rawget, rawset, rawequal, rawnext = rawget, rawset, rawequal, next
local error, type, tostring, select = error, type, tostring, select
local getmetatable, setmetatable, setfenv, loadstring = getmetatable, setmetatable, setfenv, loadstring
local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local byte, concat = string.byte, table.concat
local real = setmetatable({}, { __mode = 'k' })

local function refuse() error('Attempt to modify a readonly table', 2) end
-- The same for a function that was called with such a table.
local function refuseCall() error('Attempt to modify a readonly table', 3) end

-- With \`missing\`, what is not there is an error. What is there is found without calling a function.
local function protect(target, missing)
  local meta = { __newindex = refuse, __index = target }
  if missing then setmetatable(target, { __index = function(_, name) missing(name) end }) end
  local shown = setmetatable({}, meta)
  real[shown] = target
  local shownMeta = setmetatable({}, { __index = meta, __newindex = refuse, __metatable = false })
  real[shownMeta] = meta
  meta.__metatable = shownMeta
  return shown
end

local function absent(name)
  error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 3)
end

-- A function of C can not be a coroutine's body.
local function body(f)
  return create(function(...) return f(...) end)
end

local function finish(co, ok, ...)
  if status(co) == 'suspended' then return finish(co, resume(co, yield(...))) end
  return ok, ...
end

local function handled(handler, ok, ...)
  if ok then return ok, ... end
  return false, handler((...))
end

local function run(co, ...)
  local function done(...)
    if suspending() and status(co) == 'suspended' then yield() return done(resume(co)) end
    return ...
  end
  return done(resume(co, ...))
end

local function wrapped(ok, ...)
  if ok then return ... end
  error((...), 0)
end

local safe = {
  assert = assert, error = error, ipairs = ipairs, rawequal = rawequal, select = select, tonumber = tonumber,
  tostring = tostring, type = type, unpack = unpack, collectgarbage = collectgarbage, getmetatable = getmetatable,
  _VERSION = _VERSION,
  next = function(t, key) return rawnext(real[t] or t, key) end,
  pairs = function(t)
    local target = real[t]
    if not target then return pairs(t) end
    return function(_, key) return rawnext(target, key) end, t, nil
  end,
  rawget = function(t, key) return rawget(real[t] or t, key) end,
  rawset = function(t, key, value)
    if real[t] then refuseCall() end
    return rawset(t, key, value)
  end,
  setmetatable = function(t, meta)
    if real[t] then refuseCall() end
    return setmetatable(t, meta)
  end,
  pcall = function(f, ...)
    if type(f) ~= 'function' then return pcall(f, ...) end
    local co = body(f)
    return finish(co, resume(co, ...))
  end,
  xpcall = function(f, handler)
    if type(f) ~= 'function' then return xpcall(f, handler) end
    local co = body(f)
    return handled(handler, finish(co, resume(co)))
  end,
  coroutine = {
    create = create, yield = yield, status = status, running = coroutine.running, resume = run,
    wrap = function(f)
      local co = create(f)
      return function(...) return wrapped(run(co, ...)) end
    end,
  },
  os = { clock = os.clock },
}
safe.string, safe.table, safe.math = string, table, math

function __sandbox(libraries)
  local globals = {}
  for name, value in rawnext, safe do globals[name] = type(value) == 'table' and protect(value) or value end
  for name, value in rawnext, libraries do globals[name] = protect(value) end
  local shown = protect(globals, absent)
  globals._G = shown
  -- KEYS and ARGV are put there before each call.
  __globals = globals
  globals.loadstring = function(text, name)
    if type(text) ~= 'string' or byte(text) == 27 then return nil, 'binary code is refused' end
    local chunk, problem = loadstring(text, name)
    if chunk then setfenv(chunk, shown) end
    return chunk, problem
  end
  globals.load = function(reader, name)
    local parts = {}
    for part in reader do
      if part == '' then break end
      parts[#parts + 1] = part
    end
    return globals.loadstring(concat(parts), name or '=(load)')
  end
  return shown
end

-- What a library of functions sees: while it is loaded only what it registers with, then what scripts see.
function __library(registrar, sandbox)
  local loading = setmetatable({ redis = protect(registrar, absent) }, { __index = function(_, name) absent(name) end })
  local meta = { __newindex = refuse, __index = loading, __metatable = false }
  local shown = setmetatable({}, meta)
  real[shown] = loading
  return shown, function()
    meta.__index = sandbox
    real[shown] = sandbox
  end
end
`
