/** Hearing every command that a cache is given. */
import { ServiceError } from '../../core/errors.ts'
import type { Link } from './link.ts'
import { textOf } from './replies.ts'

/** @throws ServiceError */
export async function monitorOver(
  link: Link,
  hear: (line: string) => void,
  onEnd: (error: ServiceError) => void = () => {},
): Promise<() => void> {
  let isEnded = false
  const connection = link.another({
    onPush: ([kind, line]) => kind === 'monitor' && hear(textOf(line)),
    onEnd: (error) => {
      if (!isEnded) onEnd(error)
    },
  })
  await connection.open()
  await connection.ask(['MONITOR'])
  connection.hold(true)
  return () => {
    isEnded = true
    connection.destroy(new ServiceError('connection', 'monitoring has ended'))
  }
}
