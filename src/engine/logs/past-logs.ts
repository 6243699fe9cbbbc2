/**
 * Logs of containers that are no more: a folder each, with the files as they were and a record of whose they are. All that are kept for one
 * name have together no more bytes than the log of its last container may have; the oldest go first.
 */
import { lstatSync, renameSync, rmSync, statSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import type { Output } from '../../api/endpoint.ts'
import { Failure } from '../../lib/failure.ts'
import type { Aside } from '../base/aside.ts'
import type { Paths } from '../base/paths.ts'
import { removeFolder } from '../base/remove-folder.ts'
import { type RecordKind, writeRecord } from '../base/store.ts'
import { type ReadOptions, readBatches } from './read.ts'
import { logFiles } from './rotate.ts'

const schema = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().max(1024),
  labels: z.record(z.string(), z.string()),
  tty: z.boolean(),
  removed: z.iso.datetime({ precision: 3 }),
  size: z.number().int().nonnegative(),
})
const kind: RecordKind<PastRecord> = { version: 1, schema }

export type PastRecord = Readonly<z.infer<typeof schema>>

export interface Keeping extends Pick<PastRecord, 'id' | 'name' | 'labels' | 'tty'> {
  /** Of the log's newest file. */
  readonly path: string
  /** Bytes that all pasts of the name may have; Infinity: no limit. */
  readonly limit: number
}

/** Of one name, whatever their size: a container that is made anew every minute leaves a file each time. */
const most = 20

export class PastLogs {
  readonly #paths: Paths
  readonly #records: Map<string, PastRecord>

  private constructor(paths: Paths, records: Map<string, PastRecord>) {
    this.#paths = paths
    this.#records = records
  }

  static async open(paths: Paths, aside: Aside): Promise<PastLogs> {
    const records = new Map<string, PastRecord>()
    await aside.folder(paths.pastLogs)
    for (const id of await idsIn(paths.pastLogs)) {
      const folder = paths.pastLogFolder(id)
      if (!lstatSync(folder).isDirectory()) {
        aside.keep(folder, `Cannot use "${folder}": it is no folder`)
        continue
      }
      const loaded = await aside.load(paths.pastLogRecord(id), kind)
      if (loaded.kind === 'whole' && loaded.record.id === id) records.set(id, loaded.record)
      // an engine that was killed on its way left files without a word whose they are
      else if (loaded.kind !== 'newer') await removeFolder(folder)
    }
    return new PastLogs(paths, records)
  }

  /** The newest last. */
  list(): readonly PastRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.removed < b.removed ? -1 : a.removed > b.removed ? 1 : 0))
  }

  /** What it holds, as it was written. @throws Failure `not-found` */
  async read(id: string, options: Omit<ReadOptions, 'follow' | 'onFollow'>): Promise<Output> {
    const record = this.#records.get(id)
    if (!record) throw new Failure('not-found', `No log of a past container "${id}"`)
    return { tty: record.tty, output: await readBatches(this.#paths.pastLog(id), options) }
  }

  /** Takes the files of a log, to which nobody writes any more; what is empty is not kept. */
  async keep({ path, limit, ...whose }: Keeping): Promise<void> {
    const { id, name } = whose
    const files = await logFiles(path)
    const size = files.reduce((sum, file) => sum + statSync(file).size, 0)
    if (size === 0) return
    const to = this.#paths.pastLogFolder(id)
    await mkdir(to, { recursive: true, mode: 0o700 })
    const record: PastRecord = { version: 1, ...whose, removed: new Date().toISOString(), size }
    // first, since a disk may be full: until it is written the log stays where its container is
    await writeRecord(this.#paths.pastLogRecord(id), record)
    for (const file of files) renameSync(file, join(to, basename(file)))
    this.#records.set(id, record)
    await this.#shorten(name, limit)
  }

  /** Forgets those that are chosen. */
  async forget(isChosen: (record: PastRecord) => boolean): Promise<void> {
    for (const { id } of [...this.#records.values()].filter(isChosen)) {
      this.#records.delete(id)
      // first what says whose it is: the rest is then nobody's
      rmSync(this.#paths.pastLogRecord(id), { force: true })
      await removeFolder(this.#paths.pastLogFolder(id))
    }
  }

  async #shorten(name: string, limit: number): Promise<void> {
    let bytes = 0
    const own = this.list().filter(each => each.name === name)
    const gone = own.toReversed().filter(({ size }, i) => {
      bytes += size
      return i >= most || (i > 0 && bytes > limit)
    })
    const ids = new Set(gone.map(({ id }) => id))
    if (ids.size > 0) await this.forget(({ id }) => ids.has(id))
  }
}

async function idsIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter(name => /^[0-9a-f]{64}$/.test(name))
}
