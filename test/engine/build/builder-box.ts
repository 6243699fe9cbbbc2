import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { Events } from '../../../src/engine/base/events.ts'
import type { Paths } from '../../../src/engine/base/paths.ts'
import { Syncer } from '../../../src/engine/base/syncer.ts'
import { Builder } from '../../../src/engine/build/builder.ts'
import { BuildCache } from '../../../src/engine/build/cache.ts'
import { folderClient } from '../../../src/engine/build/classic/classic-context.ts'
import type { BuildEvent } from '../../../src/engine/build/events.ts'
import { fileWork } from '../../../src/engine/build/file-work.ts'
import type { BuildRequest } from '../../../src/engine/build/request.ts'
import type { BuildCommand, RunCommand } from '../../../src/engine/build/run-command.ts'
import { SeriesStore } from '../../../src/engine/build/series.ts'
import { Images } from '../../../src/engine/images/images.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { tinyImageTar } from '../../support/tiny-image.ts'
import { threads } from '../../support/unpack-threads.ts'
/** A builder over a store of its own, with an image base:1, and a folder to build from. */
export class Box {
  readonly paths: Paths
  readonly context: string
  builder!: Builder
  images!: Images
  cache!: BuildCache
  /** What was run, and what each does. */
  readonly commands: BuildCommand[] = []
  run: RunCommand = async () => 0
  readonly said: string[] = []
  #syncer!: Syncer

  private constructor(paths: Paths) {
    this.paths = paths
    this.context = join(paths.roots.run, 'context')
    mkdirSync(this.context, { recursive: true })
  }

  static async open(t: TestContext): Promise<Box> {
    const box = new Box(temporaryPaths(t))
    await box.boot()
    const tar = await tinyImageTar({
      tag: 'base:1',
      files: { 'etc/': '', 'etc/passwd': 'root:x:0:0::/root:/bin/sh\n' },
    })
    await box.images.load(Readable.from([tar]))
    t.after(() => box.#syncer.close())
    return box
  }

  /** As an engine does at its start. */
  async boot(): Promise<void> {
    const { paths } = this
    const aside = new Aside(paths, line => this.said.push(line))
    this.#syncer = new Syncer(line => this.said.push(line))
    this.cache = await BuildCache.open({ paths, aside, syncer: this.#syncer })
    this.images = await Images.open(paths, new Events(), { aside, threads, holders: [() => this.cache.layers()] })
    await this.images.settle()
    for (const folder of [paths.buildTemp, paths.buildMounts, paths.buildRuns]) await aside.folder(folder)
    this.builder = new Builder({
      paths,
      images: this.images,
      cache: this.cache,
      series: new SeriesStore(paths, aside),
      copies: { list: async () => [], remove: async () => false },
      files: fileWork(paths.buildDownloads, {
        sumLarge: (fd, signal) => this.images.store.layers.sum({ kind: 'file', fd }, signal),
      }),
      run: async command => {
        this.commands.push(command)
        return await this.run(command)
      },
      say: line => this.said.push(line),
    })
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.context, name), text)
  }

  async build(dockerfile: string, more: Partial<BuildRequest> = {}, signal = new AbortController().signal) {
    this.write('Dockerfile', dockerfile)
    const events: BuildEvent[] = []
    this.commands.length = 0
    const image = await this.builder.build(
      { ...request, client: folderClient(this.context, () => undefined), ...more },
      event => events.push(event),
      signal,
    )
    return { image, events, missed: missed(events) }
  }
}

export const request: Omit<BuildRequest, 'client'> = {
  dockerfile: 'Dockerfile',
  target: '',
  args: new Map(),
  labels: new Map(),
  tags: ['made:1'],
  platform: undefined,
  noCache: false,
  pull: false,
  network: 'default',
  extraHosts: [],
  shmSize: undefined,
  ulimits: [],
  limits: {},
  cgroupParent: undefined,
  entitlements: new Set(),
  cacheFrom: [],
  cacheTo: [],
  namedContexts: new Map(),
}

/** A place for a build cache, as `--cache-to` and `--cache-from` have it. */
export const at = (type: string, attributes: Readonly<Record<string, string>>) => [
  { type, attributes: new Map(Object.entries(attributes)) },
]

/** The reasons of all misses, by what was missed. */
function missed(events: readonly BuildEvent[]): Record<string, string> {
  const names = new Map(events.flatMap(event => (event.kind === 'step' ? [[event.id, event.name]] : [])))
  return Object.fromEntries(
    events.flatMap(event =>
      event.kind === 'missed' ? [[names.get(event.id)!.replace(/^\[.*?\] /, ''), event.reason]] : [],
    ),
  )
}

/** A command that writes a file named by its last argument. */
export const touch: RunCommand = async ({ args, upper }) => {
  const path = join(upper, args.at(-1)!)
  writeFileSync(path, 'made\n')
  // the same layer whenever it is made
  utimesSync(path, 1, 1)
  return 0
}
