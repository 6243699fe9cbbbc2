/** The two engines whose work is timed, with the same image in both, and what the rows of a bench ask of either. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ContainerCreate, HostConfig } from '../../src/api/container-body.ts'
import { endpoints } from '../../src/api/endpoints.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { Paths } from '../../src/engine/base/paths.ts'
import { compiled } from '../support/compiled.ts'
import { TestEngine } from '../support/engine.ts'
import { tinyImageTar } from '../support/tiny-image.ts'

const image = `tscompose-bench-${process.pid}:1`
const label = `tscompose.bench=${process.pid}`

/** What a container is to do: words of the program load (load.c), or another program of the image with a path. */
export interface Work {
  readonly name?: string
  readonly does: readonly string[]
  readonly host?: HostConfig
  /** "5001/tcp" of the container's ports. */
  readonly exposes?: readonly string[]
  /** Joins the network that both engines have for this. */
  readonly networked?: boolean
}

export class EngineSide {
  readonly host: string
  readonly client: Client
  /** Processes of the engine itself and of its helpers, not those of containers. */
  readonly processes: () => readonly number[]

  constructor(host: string, processes: () => readonly number[]) {
    this.host = host
    this.client = createClient(host)
    this.processes = processes
  }

  /** Makes ready what rows need. @param archive an image for `load`. */
  async prepare(archive: Buffer): Promise<void> {
    for await (const line of await this.client.stream(endpoints.imageLoad, { body: archive }))
      if (line.error !== undefined) throw new Error(line.error)
    await this.client.call(endpoints.networkCreate, { body: { Name: this.network, Labels: labels() } })
  }

  get network(): string {
    return `tscompose-bench-${process.pid}`
  }

  async create(work: Work): Promise<string> {
    const [first = 'pause'] = work.does
    const body: ContainerCreate = {
      Image: image,
      Cmd: first.startsWith('/') ? work.does : ['/load', ...work.does],
      Labels: labels(),
      StopSignal: 'SIGKILL',
      ExposedPorts: Object.fromEntries((work.exposes ?? []).map(port => [port, {}])),
      HostConfig: { ...work.host, ...(work.networked ? { NetworkMode: this.network } : {}) },
    }
    const { Id } = await this.client.call(endpoints.containerCreate, { query: { name: work.name }, body })
    return Id
  }

  async start(work: Work): Promise<string> {
    const id = await this.create(work)
    await this.client.call(endpoints.containerStart, { params: { id } })
    return id
  }

  async remove(...ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map(id => this.client.call(endpoints.containerRemove, { params: { id }, query: { force: true, v: true } })),
    )
  }

  /** Runs to the end. @throws Error unless it ends with 0 */
  async finish(id: string): Promise<void> {
    const waiting = await this.client.stream(endpoints.containerWait, {
      params: { id },
      query: { condition: 'not-running' },
    })
    for await (const { StatusCode } of waiting)
      if (StatusCode !== 0) throw new Error(`${StatusCode}: ${await this.output(id)}`)
  }

  /** All that it has said. */
  async output(id: string): Promise<string> {
    const pieces: Buffer[] = []
    const query = { stdout: true, stderr: true }
    for await (const { data } of await this.client.stream(endpoints.containerLogs, { params: { id }, query }))
      pieces.push(Buffer.from(data))
    return String(Buffer.concat(pieces))
  }

  /** Where a port of it is on this host. */
  async published(id: string, port: string): Promise<string> {
    const { NetworkSettings } = await this.client.call(endpoints.containerInspect, { params: { id } })
    return NetworkSettings.Ports![port]![0]!.HostPort!
  }

  /** Takes away all that was made here. */
  async close(): Promise<void> {
    const containers = await this.client.call(endpoints.containerList, {
      query: { all: true, filters: { label: [label] } },
    })
    await this.remove(...containers.map(({ Id }) => Id))
    await this.client.call(endpoints.networkRemove, { params: { id: this.network } })
    await this.client.call(endpoints.imageRemove, { params: { name: image }, query: { force: true } })
    this.client.close()
  }
}

export interface Engines extends AsyncDisposable {
  readonly ours: EngineSide
  readonly theirs: EngineSide | undefined
  /** The program load, on this host. */
  readonly load: string
}

/** @param docker the host of a Docker Engine on this machine. @param folder for what is built. */
export async function startEngines(docker: string | undefined, folder: string): Promise<Engines> {
  const load = await compiled(folder, fileURLToPath(new URL('load.c', import.meta.url)))
  const server = await compiled(folder, fileURLToPath(new URL('../support/http-server.c', import.meta.url)))
  const program = (path: string) => ({ content: readFileSync(path), mode: 0o755 })
  const archive = await tinyImageTar({ tag: image, files: { load: program(load), 'http-server': program(server) } })
  const engine = await TestEngine.start([])
  const ours = new EngineSide(engine.host, () => processesOf(engine))
  const theirs = docker === undefined ? undefined : new EngineSide(docker, dockerProcesses)
  const sides = theirs ? [ours, theirs] : [ours]
  for (const side of sides) await side.prepare(archive)
  return {
    ours,
    theirs,
    load,
    async [Symbol.asyncDispose]() {
      for (const side of sides) await side.close()
      await engine.stop()
    },
  }
}

function labels(): Record<string, string> {
  const [name, value] = label.split('=') as [string, string]
  return { [name]: value }
}

/** The daemon, and the monitors, which carry its name. */
function processesOf(engine: TestEngine): readonly number[] {
  const { short } = new Paths(engine.roots).name
  return [engine.pid, ...running(pid => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith(`${short}-`))]
}

/** Whatever has the mount namespace that the peers have for themselves: dockerd, containerd, shims, proxies. */
function dockerProcesses(): readonly number[] {
  const peers = process.env.PEERS ?? join(tmpdir(), 'tscompose-peers')
  const namespace = (pid: number | string) => readlinkSync(`/proc/${pid}/ns/mnt`)
  const theirs = namespace(readFileSync(join(peers, 'run/docker.pid'), 'utf8').trim())
  if (theirs === namespace('self')) throw new Error('the peers have no mount namespace to be told by')
  return running(pid => namespace(pid) === theirs)
}

function running(is: (pid: number) => boolean): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return is(pid)
      } catch {
        // ended while we looked, or a thread of the kernel
        return false
      }
    })
}
