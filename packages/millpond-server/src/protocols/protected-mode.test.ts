import { expect, test } from 'vitest'
import { TestService } from '../commands/testing.ts'
import { isDenied } from './protected-mode.ts'

test('as long as nobody must say who he is, only this machine is let in', () => {
  const service = new TestService()
  const admin = service.client()
  const denied = () =>
    ['127.0.0.1', '::1', '::ffff:127.0.0.1', undefined, '192.168.1.5', '2001:db8::1'].map((address) =>
      isDenied(service, address),
    )
  expect(denied()).toEqual([false, false, false, false, true, true])
  admin.say('config set requirepass known')
  expect(denied()).toEqual([false, false, false, false, false, false])
  admin.run('config', 'set', 'requirepass', '')
  expect(isDenied(service, '192.168.1.5')).toBe(true)
  admin.say('config set protected-mode no')
  expect(isDenied(service, '192.168.1.5')).toBe(false)
})
