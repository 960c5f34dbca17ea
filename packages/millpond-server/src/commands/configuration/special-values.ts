/** Values of parameters that are more than a number or a word. */
import { ReplyError } from '../../engine/errors.ts'
import { bytesOf } from './parameter.ts'

/** `save <seconds> <changes> …`; one word may hold all, and '' is none. */
export function readSave(given: readonly string[]): string {
  const numbers = given.flatMap((word) => word.split(' ').filter(Boolean))
  const right = numbers.every((word, at) => /^\d{1,15}$/.test(word) && (at % 2 === 1 || Number(word) >= 1))
  if (!right || numbers.length % 2 !== 0) throw new ReplyError('Invalid save parameters')
  return numbers.map(Number).join(' ')
}

const CLASSES = ['normal', 'slave', 'pubsub']

/** `<class> <hard> <soft> <soft seconds>`, for one class or several; the others stay as they are. */
export function readLimits(given: readonly string[], present: string): string {
  if (given.length % 4 !== 0) {
    throw new ReplyError('Wrong number of arguments in buffer limit configuration.')
  }
  const limits = new Map(classLimits(present.split(' ')))
  for (const [name, values] of classLimits(given)) {
    const [hard, soft, seconds] = values
    const sizes = [bytesOf(hard!), bytesOf(soft!), /^\d{1,9}$/.test(seconds!) ? Number(seconds) : undefined]
    const known = name === 'replica' ? 'slave' : name
    if (!CLASSES.includes(known)) throw new ReplyError('Invalid client class specified in buffer limit configuration.')
    if (!sizes.every((size) => size !== undefined && size >= 0)) {
      throw new ReplyError('Error in hard, soft or soft_seconds setting in buffer limit configuration.')
    }
    limits.set(known, sizes.map(String))
  }
  return CLASSES.map((name) => [name, ...limits.get(name)!].join(' ')).join(' ')
}

function classLimits(words: readonly string[]): [name: string, values: string[]][] {
  const limits: [string, string[]][] = []
  for (let at = 0; at + 3 < words.length; at += 4) limits.push([words[at]!.toLowerCase(), words.slice(at + 1, at + 4)])
  return limits
}

/** Each class of events by its letter; 'A' stands for those that are in it. */
const ALL = 'g$lshzxetd'

/** Letters of `notify-keyspace-events`, in the order in which Redis tells them. */
export function readEventClasses(given: string): string {
  if (/[^Ag$lshzxetdKEmn]/.test(given)) {
    throw new ReplyError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
  }
  const letters = new Set(given.includes('A') ? [...ALL, ...given] : given)
  const classes = [...ALL].every((letter) => letters.has(letter))
    ? ['A']
    : [...ALL].filter((letter) => letters.has(letter))
  return [...classes, ...['K', 'E', 'm', 'n'].filter((letter) => letters.has(letter))].join('')
}

export function readPercentiles(given: readonly string[]): string {
  const numbers = given.flatMap((word) => word.split(' ').filter(Boolean)).map(Number)
  if (numbers.some(Number.isNaN)) throw new ReplyError('Invalid latency-tracking-info-percentiles parameters')
  if (numbers.some((number) => number < 0 || number > 100)) {
    throw new ReplyError('latency-tracking-info-percentiles parameters should sit between [0.0,100.0]')
  }
  return numbers.join(' ')
}

export function readScores(given: readonly string[]): string {
  const scores = given.flatMap((word) => word.split(' ').filter(Boolean))
  if (scores.length !== 3) throw new ReplyError('wrong number of arguments')
  if (!scores.every((score) => /^-?\d+$/.test(score) && Math.abs(Number(score)) <= 2000)) {
    throw new ReplyError('Invalid oom-score-adj-values, elements must be between -2000 and 2000.')
  }
  return scores.map(Number).join(' ')
}

export function readFileName(given: string): string {
  if (/[/\\]/.test(given)) throw new ReplyError("dbfilename can't be a path, just a filename")
  return given
}

const SHUTDOWN = ['default', 'save', 'nosave', 'now', 'force']

export function readShutdown(given: readonly string[]): string {
  const options = given.flatMap((word) => word.toLowerCase().split(' ').filter(Boolean))
  if (options.length === 0 || !options.every((option) => SHUTDOWN.includes(option))) {
    throw new ReplyError(`argument(s) must be one of the following: ${SHUTDOWN.join(', ')}`)
  }
  if (options.includes('save') && options.includes('nosave')) {
    throw new ReplyError("shutdown options SAVE and NOSAVE can't be used simultaneously")
  }
  return SHUTDOWN.filter((option) => options.includes(option)).join(' ')
}

/** `replicaof <host> <port>`. There is nothing that it could mean here, and it is not silently passed over. */
export function readReplicaOf(given: readonly string[]): string {
  const [host = '', port = '', more] = given
  if (host === '' && port === '') return ''
  if (port === '' || more !== undefined) throw new ReplyError('wrong number of arguments')
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new ReplyError('Invalid master port')
  throw new ReplyError('millpond serve has no replicas: several servers are kept in step by the mesh of the library')
}
