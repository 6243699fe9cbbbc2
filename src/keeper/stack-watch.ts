/** A stack that is watched: what its files say becomes what is asked for. */
import type { HoldEvent } from '../api/keeper.ts'
import { type Attempt, Wish } from '../drift/wish.ts'
import { messageOf } from '../lib/failure.ts'
import { thaw } from '../model/frozen.ts'
import type { Refresh, RefreshOptions } from '../watch/refresh.ts'
import { triedOnce } from '../watch/tried-once.ts'
import { rereadRecord } from './asked.ts'
import type { HoldRecord, Records } from './records.ts'
import { StackFiles } from './stack-files.ts'
import type { StackSources, StackSourcesOptions } from './stack-sources.ts'

export interface StackWatchOptions {
  readonly name: string
  readonly records: Records
  readonly say: (line: string) => void
  readonly develop: Omit<StackSourcesOptions, 'project' | 'services' | 'note'>
  readonly refresh: Pick<RefreshOptions, 'pull'>
  tell(event: HoldEvent): void
  /** What is asked for from now on; `isSame`: but for what the files behind configs may hold. */
  changed(record: HoldRecord, isSame: boolean): void
}

export class StackWatch {
  readonly #options: StackWatchOptions
  #files: StackFiles | undefined
  #unreadable: string | undefined
  readonly #wish = new Wish()
  #sources: StackSources | undefined
  /** What is followed of the sources, as text: another model need not change it. */
  #developed = ''
  #refresh: Refresh | undefined
  /** Of what is asked for again by pull_policy. */
  #refreshed = ''
  #changing: Promise<void> = Promise.resolve()

  constructor(options: StackWatchOptions) {
    this.#options = options
  }

  get isOn(): boolean {
    return this.#files !== undefined
  }

  /** What its sources have led to is being done. */
  get isWorking(): boolean {
    return this.#sources?.isWorking ?? false
  }

  /** Why its files cannot be read. */
  get unreadable(): string | undefined {
    return this.#unreadable
  }

  /** Why what its files say could not be brought about; until they, or what is asked for, change. */
  get failure(): string | undefined {
    const { failure } = this.#wish
    return failure === undefined ? undefined : `${failure}; ${triedOnce}`
  }

  /** What is tried of its wish with one look; undefined when it is not watched. */
  attempt(): Attempt | undefined {
    return this.isOn ? this.#wish.attempt() : undefined
  }

  /** That has failed, and is not tried again by itself. */
  tried(message: string): void {
    this.#note(`${message}; ${triedOnce}`.replaceAll('\n', '; '))
  }

  /** Somebody has changed what runs: what was tried may succeed now. */
  again(): void {
    this.#wish.again()
  }

  /** A container has been started, by whomever. */
  started(): void {
    this.#sources?.started()
  }

  /** As the record has it from now on; resolves when what was followed before is so no more. */
  async follow(record: HoldRecord | undefined): Promise<void> {
    const before = this.#files
    this.#unreadable = undefined
    this.#wish.forget()
    const files: StackFiles | undefined =
      record?.watch &&
      new StackFiles({
        again: record.watch,
        project: thaw(record.project),
        // what was being read when others came is no longer asked for
        changed: (project, paths) => files === this.#files && this.#changed(project, paths),
        failed: message => files === this.#files && this.#failed(message),
      })
    this.#files = files
    files?.open()
    const changed = this.#develop(record?.watch && record)
    await Promise.all([before?.close(), changed])
  }

  /** Follows the sources that develop.watch names, and asks for images by pull_policy, from now on. What does that is loaded when there are some. */
  #develop(record: HoldRecord | undefined): Promise<void> {
    this.#changing = this.#changing
      .then(() => this.#developAs(record))
      .catch(error => this.#note(messageOf(error)))
      .then(() => this.#refreshAs(record))
      .catch(error => this.#note(messageOf(error)))
    return this.#changing
  }

  async #refreshAs(record: HoldRecord | undefined): Promise<void> {
    const project = record && thaw(record.project)
    const hasAny = Object.values(project?.services ?? {}).some(({ pullPolicy }) => pullPolicy.kind === 'interval')
    const found = hasAny ? await import('../watch/refresh.ts') : undefined
    const refreshed = found && project ? found.refreshKey(project, record.services) : ''
    if (refreshed === this.#refreshed) return
    this.#refreshed = refreshed
    await this.#refresh?.close()
    this.#refresh = undefined
    if (!found || !project || refreshed === '') return
    const { develop, refresh } = this.#options
    this.#refresh = new found.Refresh({
      ...{ client: develop.client, project, services: record.services },
      free: signal => develop.free(signal),
      pull: (plan, signal) => refresh.pull(plan, signal),
      note: text => this.#note(text),
    })
    this.#refresh.open()
  }

  async #developAs(record: HoldRecord | undefined): Promise<void> {
    const project = record && thaw(record.project)
    const services = Object.values(project?.services ?? {}).filter(service => service.watch.length > 0)
    const developed = services.length === 0 ? '' : JSON.stringify([services, record?.services])
    if (developed === this.#developed) return
    this.#developed = developed
    await this.#sources?.close()
    this.#sources = undefined
    if (!project || services.length === 0) return
    const { StackSources: Sources } = await import('./stack-sources.ts')
    this.#sources = new Sources({
      ...this.#options.develop,
      project,
      services: record.services,
      note: text => this.#note(text),
    })
    this.#sources.open()
  }

  #failed(message: string | undefined): void {
    if (message === this.#unreadable) return
    this.#unreadable = message
    this.#note(
      message === undefined
        ? 'its files can be read again'
        : `its files cannot be read, it stays as it was: ${message.replaceAll('\n', '; ')}`,
    )
  }

  #changed(project: unknown, files: readonly string[]): void {
    const { name, records, changed } = this.#options
    const record = records.read(name)
    if (!record?.watch) return
    const next = rereadRecord(record, { project, files })
    records.write(next.record)
    if (!next.isSame) this.#note('its files have changed')
    this.#wish.changed({ left: next.left })
    changed(next.record, next.isSame)
    void this.#develop(next.record)
  }

  #note(text: string): void {
    const { name, say, tell } = this.#options
    say(`${name}: ${text}`)
    tell({ kind: 'note', time: new Date().toISOString(), text })
  }
}
