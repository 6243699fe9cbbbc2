/** An engine over the fake runtime, with one small image, in folders of its own. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ContainerCreate } from '../../../src/api/container-body.ts'
import { createEngine, type Engine } from '../../../src/engine/engine.ts'
import { FakeNetworkKernel } from '../../support/fake-network-kernel.ts'
import { FakeRuntime } from '../../support/fake-runtime.ts'
import { memory } from '../../support/memory.ts'
import { tinyImageTar } from '../../support/tiny-image.ts'
import { threads } from '../../support/unpack-threads.ts'

export class EngineBox implements AsyncDisposable {
  readonly folder: string
  readonly runtime: FakeRuntime
  /** Whatever networks do stays here: no rule, link or socket of this machine is touched. */
  readonly kernel: FakeNetworkKernel
  engine: Engine
  /** "create", "start", "die 3": of containers, from now on. */
  readonly events: string[] = []

  private constructor(folder: string, { runtime, kernel }: Fakes, engine: Engine) {
    this.folder = folder
    this.runtime = runtime
    this.kernel = kernel
    this.engine = engine
    this.#listen()
  }

  /** @param place where its folders are */
  static async open(place = memory): Promise<EngineBox> {
    loaded ??= makeLoaded()
    const data = join(await loaded, 'data')
    const folder = mkdtempSync(join(place, 'tsc-containers-'))
    // at once: a promise for each of its files would cost more than all the rest of most tests
    cpSync(data, join(folder, 'data'), { recursive: true, preserveTimestamps: true })
    return await EngineBox.#over(folder)
  }

  static async #over(folder: string): Promise<EngineBox> {
    const fakes = { runtime: new FakeRuntime(), kernel: new FakeNetworkKernel() }
    fakes.runtime.onOperation = operation => fakes.kernel.apply(operation)
    return new EngineBox(folder, fakes, await boot(folder, fakes))
  }

  /** Of an engine that has its image: others begin with what it has left. */
  static async load(folder: string): Promise<void> {
    const { engine } = await EngineBox.#over(folder)
    const tar = await tinyImageTar({
      tag: 'tiny:1',
      files: {
        'etc/': '',
        'etc/passwd': 'root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n',
        'etc/group': 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n',
        'data/': '',
        'data/seed': 'seed',
      },
      config: {
        Cmd: ['serve'],
        Entrypoint: ['/entry'],
        Env: ['PATH=/bin', 'MODE=image'],
        Labels: { from: 'image' },
      },
    })
    await engine.images.load(Readable.from([tar]))
    await engine.close()
  }

  get containers(): Engine['containers'] {
    return this.engine.containers
  }

  /** Creates one without network; its id. */
  async create(name: string, body: ContainerCreate = {}): Promise<string> {
    const HostConfig = { NetworkMode: 'none', ...body.HostConfig }
    const { Id } = await this.containers.create({ name, body: { Image: 'tiny:1', ...body, HostConfig } })
    return Id
  }

  /** Creates and starts one. */
  async run(name: string, body: ContainerCreate = {}): Promise<string> {
    const id = await this.create(name, body)
    await this.containers.start(id)
    return id
  }

  /** Another engine over the same folders and processes; `between` happens while there is none. */
  async reboot(between: () => void | Promise<void> = () => undefined): Promise<void> {
    await this.engine.close()
    await between()
    this.engine = await boot(this.folder, this)
    this.#listen()
  }

  #listen(): void {
    this.engine.events.listen(({ type, action, attributes }) => {
      if (type === 'container') this.events.push(action === 'die' ? `die ${attributes['exitCode']}` : action)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.runtime.processes) process.end(0)
    await this.engine.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Made once: unpacking the image takes longer than most tests. */
let loaded: Promise<string> | undefined

async function makeLoaded(): Promise<string> {
  const folder = mkdtempSync(join(memory, 'tsc-loaded-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  await EngineBox.load(folder)
  return folder
}

interface Fakes {
  readonly runtime: FakeRuntime
  readonly kernel: FakeNetworkKernel
}

function boot(folder: string, { runtime, kernel }: Fakes): Promise<Engine> {
  const roots = { data: join(folder, 'data'), run: join(folder, 'run'), netns: join(folder, 'netns') }
  return createEngine({ roots, runtime, kernel, threads })
}
