import { expect, test } from 'vitest'
import { TestService } from '../testing.ts'

function start(...rules: string[]) {
  const service = new TestService()
  const [admin, ann] = [service.client(), service.client()]
  admin.run('acl', 'setuser', 'ann', 'on', '>secret', ...rules)
  service.accessControl.welcome(ann)
  expect(ann.say('auth ann secret')).toBe('OK')
  return { service, admin, ann }
}

test('a user does what its rules allow, and is told what they do not', () => {
  const { ann } = start('+get', '+set', '~trade:*', '&news')
  expect(ann.say('set trade:1 a')).toBe('OK')
  expect(ann.say('set other a')).toEqual({
    error: 'NOPERM this user has no permissions to access one of the keys used as arguments',
  })
  expect(ann.say('del trade:1')).toEqual({ error: "NOPERM this user has no permissions to run the 'del' command" })
  expect(ann.say('subscribe news')).toEqual({
    error: "NOPERM this user has no permissions to run the 'subscribe' command",
  })
})

test('reading and writing are told apart, and selectors do not add up', () => {
  const { ann } = start('%R~read:*', '(%W~write:* +@all)', '+@all')
  expect(ann.say('get read:1')).toBe(null)
  expect(ann.say('set write:1 a')).toBe('OK')
  expect(ann.say('set read:1 a')).toMatchObject({ error: expect.stringContaining('NOPERM') })
  expect(ann.say('copy read:1 write:1')).toMatchObject({ error: expect.stringContaining('NOPERM') })
})

test('rules come out as they went in: by categories first, then single commands', () => {
  const { admin, service } = start('~a', '%R~b', '&c', '+@string', '-append', '+config|get')
  const text = service.accessControl.user('ann')!.text
  expect(text).toContain('~a %R~b resetchannels &c -@all +@string')
  admin.run('acl', 'setuser', 'bob', ...text.split(' '))
  expect(service.accessControl.user('bob')!.text).toBe(text)
  expect(admin.say('acl dryrun bob append a b')).toBe("This user has no permissions to run the 'append' command")
  expect(admin.say('acl dryrun bob config get a')).toBe('OK')
  expect(admin.say('acl dryrun bob config set a b')).toBe(
    "This user has no permissions to run the 'config|set' command",
  )
})

test('a wrong rule changes nothing, and is named', () => {
  const { admin, service } = start('+get')
  const before = service.accessControl.user('ann')!.text
  expect(admin.say('acl setuser ann +set +nothing')).toEqual({
    error: "ERR Error in ACL SETUSER modifier '+nothing': Unknown command or category name in ACL",
  })
  expect(service.accessControl.user('ann')!.text).toBe(before)
})

test('ACL LOG counts what is refused again and again, newest first', () => {
  const { ann, admin } = start('+get', '~a')
  for (let turn = 0; turn < 3; turn++) ann.say('get b')
  ann.say('del a')
  expect(ann.say('auth ann wrong')).toMatchObject({ error: expect.stringContaining('WRONGPASS') })
  const log = admin.say('acl log') as (readonly unknown[])[]
  expect(log.map((entry) => [entry[1], entry[3], entry[5], entry[7]])).toEqual([
    [1, 'auth', 'toplevel', 'AUTH'],
    [1, 'command', 'toplevel', 'del'],
    [3, 'key', 'toplevel', 'b'],
  ])
})

test('with a password a newcomer may do little; a user who is gone is gone at once', () => {
  const { service, admin, ann } = start('+@all', '~*')
  admin.say('config set requirepass known')
  const late = service.client()
  service.accessControl.welcome(late)
  expect(late.say('get a')).toEqual({ error: 'NOAUTH Authentication required.' })
  expect(late.say('auth known')).toBe('OK')
  expect(late.say('get a')).toBe(null)
  admin.say('acl deluser ann')
  expect(ann.closed).toBe(true)
})

test('what is queued is checked again when it runs', () => {
  const { admin, ann } = start('+@all', '~*')
  for (const line of ['multi', 'set a 1', 'get a']) ann.say(line)
  admin.say('acl setuser ann -set')
  expect(ann.say('exec')).toEqual([{ error: expect.stringContaining('NOPERM ACLs rules changed') }, null])
})

test('SORT reads keys by patterns only where what allows it lets every key be read', () => {
  const { admin, ann } = start('(+sort ~list ~v*)')
  admin.run('rpush', 'list', '1')
  admin.run('set', 'v1', '1')
  expect(ann.say('sort list by v*')).toEqual({
    error: 'ERR BY option of SORT denied due to insufficient ACL permissions.',
  })
  admin.run('acl', 'setuser', 'ann', '(+sort ~list %R~*)')
  expect(ann.say('sort list by v*')).toEqual(['1'])
})

test('a configuration file names each user once, and says all that it may do', () => {
  const { accessControl } = new TestService()
  accessControl.configure([['default', 'on', 'nopass', '~*', '+@all']])
  expect(accessControl.defaultUser.text).toBe('on nopass ~* resetchannels +@all')
  expect(() => accessControl.configure([['bob'], ['bob']])).toThrow("Duplicate user 'bob'")
})
