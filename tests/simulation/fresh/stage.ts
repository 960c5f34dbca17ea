/** Plays scenarios one after the other on one PostgreSQL, over the library or a mutant of it, and has them judged. */
import { judge, type Verdict } from './judge.ts'
import { type MutantName, mutantLibrary } from './mutants.ts'
import type { Scenario } from './scenarios.ts'
import { LIBRARY, World, type WorldOptions } from './world.ts'

const KEYS = 8

export class Stage {
  readonly #binaries: WorldOptions['binaries']
  #world: Promise<World> | undefined

  constructor(binaries: WorldOptions['binaries']) {
    this.#binaries = binaries
  }

  async play(scenario: Scenario, mutant?: MutantName): Promise<Verdict> {
    const changed = mutant === undefined ? undefined : mutantLibrary(mutant)
    try {
      return await this.#play(scenario, changed?.library ?? LIBRARY)
    } finally {
      changed?.remove()
    }
  }

  async end(): Promise<void> {
    const world = await this.#world?.catch(() => undefined)
    this.#world = undefined
    await world?.end()
  }

  async #play(scenario: Scenario, library: string): Promise<Verdict> {
    this.#world ??= World.start({ binaries: this.#binaries, keys: KEYS })
    const world = await this.#world
    let isUsable = scenario.spoilsWorld !== true
    try {
      await scenario.run(world, library)
      return judge(await world.history())
    } catch (error) {
      isUsable = false
      throw error
    } finally {
      await world.clear()
      if (!isUsable) await this.end()
    }
  }
}
