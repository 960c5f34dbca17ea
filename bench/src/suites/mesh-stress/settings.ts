/** The knobs of the suite `mesh-stress`: those of McCache's stress test, by the same names in small letters. */

export interface StressSettings {
  /** Of every choice: operations, keys, sizes, pauses and which datagrams are lost. The network's own timing is not drawn. */
  readonly seed: number
  /** A process rests between two operations for a random time of up to `sleepSpan / sleepUnit` seconds. */
  readonly sleepSpan: number
  readonly sleepUnit: number
  /** How many keys there are. */
  readonly entries: number
  /** For how many seconds they are changed. */
  readonly duration: number
  /** How many processes there are. */
  readonly cluster: number
  /** 1: values of 20 to 200 bytes. 2: of 2,000 to 40,000. 3: one in ten is of the second kind. */
  readonly sizeMix: 1 | 2 | 3
  /** Percent of the datagrams that each process loses, until all was compared. */
  readonly tantrum: number
}

type Name = keyof StressSettings

/** Each knob: its range, what it is without being given (and under `--quick`), and a line for the list of suites. */
const KNOBS: Readonly<Record<Name, { least: number; most: number; usual: number; quick?: number; summary: string }>> = {
  seed: { least: 0, most: 2 ** 32 - 1, usual: 1, summary: 'of every random choice' },
  sleepSpan: {
    least: 0,
    most: 1e9,
    usual: 10,
    summary: 'rest between operations: up to sleep-span / sleep-unit seconds',
  },
  sleepUnit: { least: 1, most: 1e9, usual: 1000, summary: 'see sleep-span' },
  entries: { least: 1, most: 1e6, usual: 200, summary: 'how many keys' },
  duration: { least: 1, most: 86_400, usual: 60, quick: 5, summary: 'seconds of changes' },
  cluster: { least: 2, most: 32, usual: 5, quick: 3, summary: 'how many processes' },
  sizeMix: { least: 1, most: 3, usual: 1, summary: 'values: 1 small, 2 large, 3 mixed' },
  tantrum: { least: 0, most: 90, usual: 0, summary: 'percent of datagrams that each process loses' },
}

const NAMES = Object.keys(KNOBS) as readonly Name[]

/** The options of the suite's command line. */
export const stressOptions: Readonly<Record<string, { readonly type: 'string'; readonly summary: string }>> =
  Object.fromEntries(
    NAMES.map((name) => {
      const { usual, quick, summary } = KNOBS[name]
      const without = quick === undefined ? `${usual}` : `${usual}, quick ${quick}`
      return [flagOf(name), { type: 'string' as const, summary: `${summary} (${without})` }]
    }),
  )

/** Reads the knobs. @throws Error naming the one that cannot be used */
export function stressSettings(
  options: Readonly<Record<string, string | boolean | undefined>>,
  quick: boolean,
): StressSettings {
  const read = (name: Name): number => {
    const { least, most, usual, quick: small } = KNOBS[name]
    const given = options[flagOf(name)]
    const value = given === undefined ? ((quick ? small : undefined) ?? usual) : Number(given)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new Error(`--${flagOf(name)} ${String(given)}: give a whole number from ${least} to ${most}`)
  }
  return Object.fromEntries(NAMES.map((name) => [name, read(name)])) as unknown as StressSettings
}

/** The same settings as words of a command line, to run them again. */
export function commandOf(settings: StressSettings): string {
  return ['npm run bench -- mesh-stress', ...NAMES.map((name) => `--${flagOf(name)} ${settings[name]}`)].join(' ')
}

function flagOf(name: Name): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
