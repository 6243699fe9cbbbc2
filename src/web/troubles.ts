/** What a person should look at first: each container that is not well, with the cause in a sentence and its last lines. */
import { type ContainerInspect, containerEndpoints } from '../api/containers.ts'
import type { EventMessage } from '../api/events.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import { readLog } from '../targets/engine/logs/log-lines.ts'
import type { ReplicaRow, StackRow } from '../view/stacks.ts'
import { causeOf } from '../view/trouble-cause.ts'
import type { Trouble } from './wire.ts'

/** Lines of its log that are shown. */
const tail = 5
/** Characters of each. */
const longest = 2000
/** Milliseconds after the last of several ends in which a container still counts as one that crashes again and again. */
const restless = 30_000

export interface TroublesOptions {
  readonly client: Client
  tell(troubles: readonly Trouble[]): void
  now?(): number
}

export class Troubles {
  readonly #options: TroublesOptions
  /** Container → when it ended by itself lately. */
  readonly #ends = new Map<string, number[]>()
  /** By what it was made of: asked for once. */
  readonly #known = new Map<string, Trouble | undefined>()
  #rows: readonly StackRow[] = []
  #notes: ReadonlyMap<string, string> = new Map()
  #working = false
  #again = false

  constructor(options: TroublesOptions) {
    this.#options = options
  }

  heard({ Type, Action, Actor, timeNano }: EventMessage): void {
    if (Type !== 'container') return
    if (Action === 'die' && Actor.Attributes['exitCode'] !== '0') {
      const ends = [...(this.#ends.get(Actor.ID) ?? []), timeNano / 1e6].slice(-10)
      this.#ends.set(Actor.ID, ends)
    } else if (Action === 'destroy') this.#ends.delete(Actor.ID)
  }

  /** `notes`: what the keeper says, by container. */
  async look(rows: readonly StackRow[], notes: ReadonlyMap<string, string>): Promise<void> {
    this.#rows = rows
    this.#notes = notes
    if (this.#working) {
      this.#again = true
      return
    }
    this.#working = true
    try {
      do {
        this.#again = false
        this.#options.tell(await this.#all())
      } while (this.#again)
    } finally {
      this.#working = false
    }
  }

  async #all(): Promise<readonly Trouble[]> {
    const suspects = this.#rows.flatMap(({ name: stack, services }) =>
      services.flatMap(({ replicas }) =>
        replicas.filter(each => this.#isSuspect(each)).map(replica => ({ stack, replica })),
      ),
    )
    const keys = new Set(suspects.map(({ replica }) => this.#keyOf(replica)))
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key)
    const found: Trouble[] = []
    // a few at a time: a machine on fire has other work
    for (let at = 0; at < suspects.length; at += 4)
      found.push(
        ...(await Promise.all(suspects.slice(at, at + 4).map(each => this.#troubleOf(each)))).filter(
          each => each !== undefined,
        ),
      )
    return found
  }

  #isSuspect(replica: ReplicaRow): boolean {
    const { condition, exitCode, oneOff } = replica
    if (oneOff) return false
    if (condition === 'failed' || condition === 'unhealthy' || condition === 'restarting') return true
    if (condition === 'stopped' && exitCode === 137) return true
    return condition === 'running' && this.#isRestless(replica.id)
  }

  #isRestless(id: string): boolean {
    const { now = Date.now } = this.#options
    const ends = this.#ends.get(id) ?? []
    return ends.length >= 2 && now() - ends.at(-1)! < restless
  }

  #keyOf({ id, condition, exitCode }: ReplicaRow): string {
    return [id, condition, exitCode, this.#ends.get(id)?.at(-1)].join(' ')
  }

  async #troubleOf({
    stack,
    replica,
  }: {
    readonly stack: string
    readonly replica: ReplicaRow
  }): Promise<Trouble | undefined> {
    const key = this.#keyOf(replica)
    // what a healthcheck says may change from one to the next
    if (this.#known.has(key) && replica.condition !== 'unhealthy') return this.#known.get(key)
    const trouble = await this.#ask(stack, replica)
    this.#known.set(key, trouble)
    return trouble
  }

  async #ask(stack: string, replica: ReplicaRow): Promise<Trouble | undefined> {
    const { client } = this.#options
    let inspected: ContainerInspect
    try {
      inspected = await client.call(containerEndpoints.containerInspect, { params: { id: replica.id } })
    } catch (error) {
      // gone by now
      if (isFailure(error, 'not-found')) return undefined
      throw error
    }
    const { State, RestartCount, HostConfig } = inspected
    const said = causeOf({
      condition: replica.condition,
      state: State,
      restarts: RestartCount,
      memoryLimit: HostConfig.Memory ?? 0,
      isRestless: this.#isRestless(replica.id),
    })
    if (said === undefined) return undefined
    const note = this.#notes.get(replica.name)
    return {
      id: replica.id,
      stack,
      service: replica.service,
      container: replica.name,
      kind: said.kind,
      cause: note === undefined ? said.text : `${said.text}; ${note}`,
      lines: await this.#lines(replica.id),
    }
  }

  async #lines(id: string): Promise<readonly string[]> {
    const query = { follow: false, tail, since: undefined, until: undefined, timestamps: false }
    const lines: string[] = []
    try {
      for await (const { text } of readLog(this.#options.client, id, { query, signal: undefined }))
        lines.push(text.slice(0, longest))
    } catch (error) {
      // gone by now, or its log driver keeps nothing
      if (!isFailure(error, 'not-found') && !isFailure(error, 'unsupported')) throw error
    }
    return lines.slice(-tail)
  }
}
