/** Which user namespace has which ids of the host: given by key, kept by the containers that have them, free again with the last. */
import { Failure } from '../../lib/failure.ts'
import type { IdRange } from '../../runtime/spec.ts'
import type { Say } from '../base/aside.ts'
import { readUserPool, type UserPool } from './user-pool.ts'

/** A container's share, as its record has it. `key`: who else has the same: those of a project, or nobody. */
export interface Users extends IdRange {
  readonly key: string
}

export interface UserSettings {
  /** Of containers that say nothing. */
  readonly mode: 'host' | 'auto'
  /** Whose lines in /etc/subuid and /etc/subgid are the pool. */
  readonly user: string | undefined
}

export const usualUsers: UserSettings = { mode: 'host', user: undefined }

interface Given {
  readonly users: Users
  readonly holders: Set<string>
}

export class UserRanges {
  readonly mode: UserSettings['mode']
  readonly #user: string | undefined
  readonly #say: Say
  readonly #given = new Map<string, Given>()
  #pool: UserPool | undefined

  /** @throws Failure `invalid` when a user was named who has no ids to give. */
  constructor({ mode, user }: UserSettings, say: Say) {
    this.mode = mode
    this.#user = user
    this.#say = say
    if (mode === 'auto' || user !== undefined) this.#open()
  }

  /** What a container of the record has already, whatever the pool is now. */
  hold(id: string, users: Users): void {
    const given = this.#given.get(users.key)
    if (given) given.holders.add(id)
    else this.#given.set(users.key, { users, holders: new Set([id]) })
  }

  /** Those of the key, or new ones. @throws Failure `unavailable` when all are given. */
  take(id: string, key: string): Users {
    const users = this.#given.get(key)?.users ?? { key, ...this.#free() }
    this.hold(id, users)
    return users
  }

  release(id: string): void {
    for (const [key, { holders }] of this.#given) if (holders.delete(id) && holders.size === 0) this.#given.delete(key)
  }

  #free(): IdRange {
    const { ranges, origin } = this.#open()
    const given = [...this.#given.values()]
    const free = ranges.find(
      range => !given.some(({ users }) => overlap(users.uid, range.uid, users) || overlap(users.gid, range.gid, users)),
    )
    if (free) return free
    throw new Failure('unavailable', `Cannot make a user namespace: all ids are given (${origin})`, {
      hint: 'Remove containers, or give the engine more in /etc/subuid and /etc/subgid',
    })
  }

  #open(): UserPool {
    if (this.#pool === undefined) {
      this.#pool = readUserPool(this.#user)
      this.#say(`user namespaces have ids of ${this.#pool.origin}`)
    }
    return this.#pool
  }
}

function overlap(a: number, b: number, { size }: IdRange): boolean {
  return Math.abs(a - b) < size
}
