/** What the blocks of our pages take as given: an application with its database, and a cache in front of it. */
import { type Cache, createCache, type LoadContext } from 'millpond'

/** A row of the table `users`. */
export interface User {
  readonly id: number
  readonly name: string
  readonly teamId: number
}

/** The application's own way to its database. */
export class Database {
  readonly #names = new Map<number, string>()

  async user(id: number, _options?: { signal?: AbortSignal }): Promise<User> {
    return { id, name: this.#names.get(id) ?? 'Ann', teamId: 3 }
  }

  async findUser(id: number): Promise<User | undefined> {
    return id > 0 ? await this.user(id) : undefined
  }

  async users(ids: readonly number[]): Promise<User[]> {
    return await Promise.all(ids.map((id) => this.user(id)))
  }

  async usersOfTeam(teamId: number): Promise<User[]> {
    return [{ ...(await this.user(1)), teamId }]
  }

  async saveUser(user: User): Promise<void> {
    this.#names.set(user.id, user.name)
  }

  async saveUsers(users: readonly User[]): Promise<void> {
    for (const user of users) await this.saveUser(user)
  }

  async renameUser(id: number, name: string): Promise<void> {
    this.#names.set(id, name)
  }

  async deleteUser(id: number): Promise<void> {
    this.#names.delete(id)
  }

  async transaction<R>(work: (tx: Database) => Promise<R>): Promise<R> {
    return await work(this)
  }
}

/** The names that a page need not declare. */
export interface World {
  readonly db: Database
  readonly cache: Cache
  readonly id: number
  readonly load: (ctx?: LoadContext<User>) => Promise<User>
  readonly connectionString: string
  /** Of a running `millpond serve`. */
  readonly serviceUrl: string
}

/** A new world for each block. */
export function makeWorld(): World {
  const db = new Database()
  return {
    db,
    id: 17,
    load: () => db.user(17),
    connectionString: process.env.DATABASE_URL ?? '',
    serviceUrl: process.env.MILLPOND_URL ?? '',
    get cache(): Cache {
      return createCache({ name: 'shop' })
    },
  }
}
