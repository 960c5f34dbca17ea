import { expect, test } from 'vitest'
import { Glob } from '../engine/glob.ts'
import { parseScope, patternOf, scopeText } from './scope.ts'

test.each([
  ['keys:read', { of: 'keys', access: 'read' }, '*'],
  ['topics:readwrite', { of: 'topics', access: 'readwrite' }, '*'],
  ['keys:write:user:17', { of: 'keys', access: 'write', name: 'user:17' }, 'user:17'],
  ['keys:read:user:*', { of: 'keys', access: 'read', prefix: 'user:' }, 'user:*'],
  ['keys:read:star\\*', { of: 'keys', access: 'read', name: 'star*' }, 'star\\*'],
  ['keys:read:a[b]?*', { of: 'keys', access: 'read', prefix: 'a[b]?' }, 'a\\[b\\]\\?*'],
])('%s', (text, scope, pattern) => {
  expect(parseScope(text)).toEqual(scope)
  expect(scopeText(parseScope(text))).toBe(text)
  expect(patternOf(parseScope(text))).toBe(pattern)
})

test('a name is taken as it is, whatever characters it has', () => {
  const names = ['a*b', 'a?b', '[ab]', 'a\\b', '\\', 'a^b', 'a]', '[', '*', 'star*']
  for (const name of names) {
    const glob = new Glob(patternOf({ of: 'keys', access: 'read', name }))
    for (const other of [...names, 'axb', 'a', 'ab', 'b'])
      expect(glob.matches(other), `${name} ${other}`).toBe(other === name)
    const prefix = new Glob(patternOf({ of: 'keys', access: 'read', prefix: name }))
    for (const other of [...names, 'axb', 'star', `${name}x`]) {
      expect(prefix.matches(other), `${name}* ${other}`).toBe(other.startsWith(name))
    }
  }
})

test('one that is none says how it is written', () => {
  for (const text of ['', 'keys', 'key:read', 'keys:all', 'keys:read:', 'admin', 'keys:READ']) {
    expect(() => parseScope(text), text).toThrow('is no scope: write (keys|topics)')
  }
})
