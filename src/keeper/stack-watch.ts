/** A stack that is watched: what its files say becomes what is asked for. */
import type { HoldEvent } from '../api/keeper.ts'
import { messageOf } from '../lib/failure.ts'
import { thaw } from '../model/frozen.ts'
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
  tell(event: HoldEvent): void
  /** What is asked for from now on; `isSame`: but for what the files behind configs may hold. */
  changed(record: HoldRecord, isSame: boolean): void
}

/** What the files have given has not been brought about yet; `left`: a service has gone from them. */
export interface Due {
  readonly left: boolean
}

export class StackWatch {
  readonly #options: StackWatchOptions
  #files: StackFiles | undefined
  #unreadable: string | undefined
  #due: Due | undefined
  /** What its files say was tried, and failed: why. */
  #failure: string | undefined
  #sources: StackSources | undefined
  /** What is followed of the sources, as text: another model need not change it. */
  #developed = ''
  #changing: Promise<void> = Promise.resolve()

  constructor(options: StackWatchOptions) {
    this.#options = options
  }

  get isOn(): boolean {
    return this.#files !== undefined
  }

  /** Why its files cannot be read. */
  get unreadable(): string | undefined {
    return this.#unreadable
  }

  /** Why what its files say could not be brought about; until they, or what is asked for, change. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** It was tried, and would fail again: it is not, until the files change, or somebody changes what runs. */
  tried(due: Due | undefined, message: string): void {
    const text = `${message}; ${triedOnce}`
    if (text !== this.#failure) this.#note(text.replaceAll('\n', '; '))
    this.#failure = text
    if (this.#due === due) this.#due = undefined
  }

  /** Somebody has changed what runs: what was tried may succeed now. */
  again(): void {
    if (this.#failure !== undefined) this.#due ??= { left: false }
  }

  get read(): Due | undefined {
    return this.#due
  }

  /** That much has been brought about; `isAll`: and nothing is left that a look without it would leave as it is. */
  done(due: Due | undefined, isAll: boolean): void {
    if (due !== undefined || isAll) this.#failure = undefined
    if (this.#due === due) this.#due = undefined
  }

  /** A container has been started, by whomever. */
  started(): void {
    this.#sources?.started()
  }

  /** As the record has it from now on; resolves when what was followed before is so no more. */
  async follow(record: HoldRecord | undefined): Promise<void> {
    const before = this.#files
    this.#unreadable = undefined
    this.#failure = undefined
    this.#due = undefined
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

  /** Follows the sources that develop.watch names, from now on. What does that is loaded when there are some. */
  #develop(record: HoldRecord | undefined): Promise<void> {
    this.#changing = this.#changing.then(() => this.#developAs(record)).catch(error => this.#note(messageOf(error)))
    return this.#changing
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
    this.#due = { left: next.left || (this.#due?.left ?? false) }
    this.#failure = undefined
    changed(next.record, next.isSame)
    void this.#develop(next.record)
  }

  #note(text: string): void {
    const { name, say, tell } = this.#options
    say(`${name}: ${text}`)
    tell({ kind: 'note', time: new Date().toISOString(), text })
  }
}
