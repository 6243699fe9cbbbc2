/** All companions: their records, and the containers that are left to them when the engine starts. */
import { readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import type { CompanionRequest, Companion as Shown } from '../../api/companions.ts'
import { matchesLabels } from '../../api/filters.ts'
import { Failure, messageOf } from '../../lib/failure.ts'
import type { Aside } from '../base/aside.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { Paths } from '../base/paths.ts'
import { type RecordKind, writeRecord } from '../base/store.ts'
import { Companion } from './companion.ts'

const record = z.object({
  version: z.literal(1),
  name: z.string(),
  command: z.array(z.string()).min(1),
  environment: z.array(z.string()),
  starts: z.array(z.string()),
})
type CompanionRecord = z.infer<typeof record>
const kind: RecordKind<CompanionRecord> = { version: 1, schema: record }

export interface CompanionsOptions {
  readonly paths: Paths
  readonly aside: Aside
  /** Starts the containers that were left to a companion which does not live. */
  readonly onHopeless: (isLeft: (labels: Readonly<Record<string, string>>) => boolean) => void
}

interface Kept {
  record: CompanionRecord
  readonly companion: Companion
}

export class Companions {
  readonly #options: CompanionsOptions
  readonly #all = new Map<string, Kept>()
  readonly #lock = new KeyedLock()
  #started = false

  private constructor(options: CompanionsOptions) {
    this.#options = options
  }

  /** Reads the records; nothing is started before `start`. */
  static async open(options: CompanionsOptions): Promise<Companions> {
    const { paths, aside } = options
    const companions = new Companions(options)
    await aside.folder(paths.companions)
    for (const file of await readdir(paths.companions)) {
      if (!/^[a-z][a-z0-9-]*\.json$/.test(file)) continue
      const loaded = await aside.load(join(paths.companions, file), kind)
      if (loaded.kind === 'whole' && `${loaded.record.name}.json` === basename(file)) companions.#keep(loaded.record)
    }
    return companions
  }

  /** Whether the start of a container with these labels is a companion's business. */
  isLeft(labels: Readonly<Record<string, string>>): boolean {
    return [...this.#all.values()].some(({ record }) => isLeftTo(record, labels))
  }

  /** Once somebody answers on the socket, which they may ask at once. */
  start(): void {
    this.#started = true
    for (const { companion } of this.#all.values()) companion.start()
  }

  list(): readonly Shown[] {
    return [...this.#all.values()]
      .map(({ record, companion }) => ({
        Name: record.name,
        Command: record.command,
        Starts: record.starts,
        Pid: companion.pid,
        Restarts: companion.restarts,
      }))
      .sort((a, b) => (a.Name < b.Name ? -1 : 1))
  }

  /** @throws Failure `invalid` for a name that cannot be a file's. */
  async put(name: string, { Command, Environment, Starts }: CompanionRequest): Promise<void> {
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
      throw new Failure('invalid', `Cannot keep companion "${name}": a name has small letters, digits and hyphens`)
    await this.#lock.run(name, async () => {
      const now: CompanionRecord = {
        version: 1,
        name,
        command: [...Command],
        environment: [...(Environment ?? [])],
        starts: [...(Starts ?? [])],
      }
      const before = this.#all.get(name)
      await writeRecord(this.#options.paths.companionRecord(name), now, { sync: true })
      if (before && !before.companion.isDone && sameProgram(before.record, now)) {
        before.record = now
        return
      }
      this.#all.delete(name)
      await before?.companion.close()
      this.#keep(now)
      if (this.#started) this.#all.get(name)!.companion.start()
    })
  }

  /** These containers are left to it from now on. @throws Failure `not-found` */
  async leave(name: string, starts: readonly string[]): Promise<void> {
    await this.#lock.run(name, async () => {
      const found = this.#find(name)
      const record = { ...found.record, starts: [...starts] }
      await writeRecord(this.#options.paths.companionRecord(name), record, { sync: true })
      found.record = record
    })
  }

  /** @throws Failure `not-found` */
  async remove(name: string): Promise<void> {
    await this.#lock.run(name, async () => {
      const found = this.#find(name)
      await this.#forget(name)
      await found.companion.close()
    })
  }

  /** Ends them all; the next engine starts them again. */
  async close(): Promise<void> {
    await Promise.all([...this.#all.values()].map(({ companion }) => companion.close()))
  }

  #keep(record: CompanionRecord): void {
    const { name, command, environment } = record
    const companion = new Companion({
      name,
      command,
      environment,
      say: this.#options.aside.say,
      onDone: () => {
        this.#lock
          .run(name, async () => {
            // somebody may have asked for another in the meantime
            if (this.#all.get(name)?.companion === companion) await this.#forget(name)
          })
          .catch(error => this.#options.aside.say(messageOf(error)))
      },
      onHopeless: () => {
        const now = this.#all.get(name)?.record
        if (now && now.starts.length > 0) this.#options.onHopeless(labels => isLeftTo(now, labels))
      },
    })
    this.#all.set(name, { record, companion })
  }

  #find(name: string): Kept {
    const found = this.#all.get(name)
    if (!found) throw new Failure('not-found', `No such companion: ${name}`)
    return found
  }

  /** What is no longer listed has no record either. */
  async #forget(name: string): Promise<void> {
    await rm(this.#options.paths.companionRecord(name), { force: true })
    this.#all.delete(name)
  }
}

function isLeftTo({ starts }: CompanionRecord, labels: Readonly<Record<string, string>>): boolean {
  return starts.some(filter => matchesLabels([filter], labels))
}

function sameProgram(a: CompanionRecord, b: CompanionRecord): boolean {
  const program = ({ command, environment }: CompanionRecord) => JSON.stringify([command, environment])
  return program(a) === program(b)
}
