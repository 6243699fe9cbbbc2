/** An engine in memory: what Docker answers and refuses of containers, networks, volumes and images, without any process. */
import { hash } from 'node:crypto'
import type { ContainerCreate, ContainerUpdate, EndpointSettings, HostConfig } from '../../src/api/container-body.ts'
import type { ContainerState } from '../../src/api/containers.ts'
import type { NetworkCreate } from '../../src/api/networks.ts'
import type { VolumeCreate } from '../../src/api/volumes.ts'
import { Failure } from '../../src/lib/failure.ts'
import { FakeClient, type Handler } from '../targets/engine/fake-client.ts'

type Status = ContainerState['Status']

export interface FakeContainer {
  readonly id: string
  name: string
  readonly image: string
  readonly config: ContainerCreate
  host: HostConfig
  endpoints: Record<string, EndpointSettings>
  status: Status
  exitCode: number
  /** How often it was started. */
  starts: number
  /** The archive that was put into it last, by its hash. */
  uploads: string[]
}

export interface FakeImage {
  readonly id: string
  readonly volumes?: readonly string[]
}

/** `lists`: whether lists say what can change, as ours do and Docker's do not. */
export class FakeEngine {
  readonly containers = new Map<string, FakeContainer>()
  readonly networks = new Map<string, NetworkCreate & { readonly id: string }>()
  readonly volumes = new Map<string, VolumeCreate>()
  readonly images = new Map<string, FakeImage>()
  readonly client: FakeClient
  /** Calls that change something, and are still answered; then `broken` is thrown. */
  patience = Number.POSITIVE_INFINITY
  /** The call at which it ends is carried out, and its answer lost: an engine that is killed, not a client. */
  losesAnswer = false
  readonly #lists: boolean
  #made = 0

  constructor({ lists = true }: { readonly lists?: boolean } = {}) {
    this.#lists = lists
    const handlers: Readonly<Record<string, Handler>> = Object.fromEntries(
      Object.entries(this.#handlers()).map(([name, handler]) => [
        name,
        input => {
          if (/List$|Inspect$|Attach$|Wait$|^info$/.test(name) || this.patience-- > 0) return handler(input, undefined)
          if (this.losesAnswer) {
            this.losesAnswer = false
            handler(input, undefined)
          }
          throw new Failure('unavailable', 'interrupted')
        },
      ]),
    )
    this.client = new FakeClient(handlers)
  }

  named(name: string): FakeContainer {
    const found = [...this.containers.values()].find(each => each.name === name || each.id === name)
    if (!found) throw new Failure('not-found', `No such container: ${name}`)
    return found
  }

  #id(): string {
    return (++this.#made).toString(16).padStart(12, '0').padEnd(64, 'f')
  }

  #handlers(): Readonly<Record<string, Handler>> {
    const container = ({ params }: Parameters<Handler>[0]) => this.named(params!['id']!)
    return {
      version: () => ({ Platform: { Name: 'tscompose' } }),
      containerList: () => [...this.containers.values()].map(each => this.#listed(each)),
      containerInspect: input => this.#inspected(container(input)),
      containerCreate: ({ query, body }) => this.#create(String(query!['name']), body as ContainerCreate),
      containerStart: input => {
        const found = container(input)
        this.#start(found)
        // an init container has nothing to say, and ends well
        if (found.config.Labels?.['com.docker.compose.hook'] !== undefined) this.#end(found, 0)
      },
      containerAttach: async function* () {},
      containerWait: input => [{ StatusCode: container(input).exitCode }],
      containerHandOver: input => void container(input),
      containerDrain: input => this.#end(container(input), 143),
      containerRestart: input => this.#start(container(input)),
      containerStop: input => this.#end(container(input), 143),
      containerKill: input => this.#end(container(input), 137),
      containerRename: input => {
        const name = String(input.query!['name'])
        if ([...this.containers.values()].some(each => each.name === name))
          throw new Failure('conflict', `The container name "/${name}" is already in use`)
        container(input).name = name
      },
      containerUpdate: input => this.#update(container(input), input.body as ContainerUpdate),
      containerRemove: input => {
        const found = container(input)
        if (found.status === 'running' && !input.query?.['force'])
          throw new Failure('conflict', `cannot remove container "${found.name}": container is running`)
        this.containers.delete(found.id)
      },
      containerArchivePut: input => {
        container(input).uploads = [hash('sha256', input.body as Uint8Array).slice(0, 12)]
      },
      networkList: () => [...this.networks.values()].map(each => this.#network(each)),
      networkInspect: ({ params }) => this.#network(this.#networkOf(params!['id']!)),
      networkCreate: ({ body }) => {
        const asked = body as NetworkCreate
        if (this.networks.has(asked.Name))
          throw new Failure('conflict', `network with name ${asked.Name} already exists`)
        const id = this.#id()
        this.networks.set(asked.Name, { ...asked, id })
        return { Id: id, Warning: '' }
      },
      networkRemove: ({ params }) => {
        const { Name } = this.#networkOf(params!['id']!)
        if ([...this.containers.values()].some(({ status, endpoints }) => status === 'running' && endpoints[Name]))
          throw new Failure('denied', `network ${Name} has active endpoints`)
        this.networks.delete(Name)
      },
      networkConnect: ({ params, body }) => this.#connect(params!['id']!, body as Connect),
      networkDisconnect: ({ params, body }) => {
        const { Name } = this.#networkOf(params!['id']!)
        const { endpoints, id } = this.named((body as Connect).Container)
        if (!endpoints[Name]) throw new Failure('internal', `container ${id} is not connected to network ${Name}`)
        delete endpoints[Name]
      },
      volumeList: () => ({
        Volumes: [...this.volumes].map(([Name, { Driver = 'local', DriverOpts, Labels }]) => ({
          Name,
          Driver,
          Options: DriverOpts ?? null,
          Labels: Labels ?? null,
        })),
      }),
      volumeCreate: ({ body }) => {
        const asked = body as VolumeCreate
        if (!this.volumes.has(asked.Name!)) this.volumes.set(asked.Name!, asked)
        return { Name: asked.Name }
      },
      volumeRemove: ({ params }) => {
        const name = params!['name']!
        if ([...this.containers.values()].some(each => volumesOf(each).some(volume => volume.Name === name)))
          throw new Failure('conflict', `remove ${name}: volume is in use`)
        this.volumes.delete(name)
      },
      imageInspect: ({ params }) => {
        const found = this.images.get(params!['name']!)
        if (!found) throw new Failure('not-found', `No such image: ${params!['name']}`)
        const Volumes = Object.fromEntries((found.volumes ?? []).map(path => [path, {}]))
        return { Id: found.id, Config: { Volumes } }
      },
      info: () => ({ SwapLimit: true }),
      execCreate: () => ({ Id: 'exec' }),
      execStart: () => (async function* () {})(),
      execInspect: () => ({ ExitCode: 0 }),
    }
  }

  #networkOf(ref: string) {
    const found = this.networks.get(ref) ?? [...this.networks.values()].find(({ id }) => id === ref)
    if (!found) throw new Failure('not-found', `network ${ref} not found`)
    return found
  }

  #network({ id, ...body }: NetworkCreate & { readonly id: string }) {
    return {
      Id: id,
      Driver: 'bridge',
      EnableIPv6: false,
      Internal: false,
      Attachable: false,
      Options: {},
      Labels: {},
      ...body,
      IPAM: { Driver: 'default', Config: [{ Subnet: '172.20.0.0/16', Gateway: '172.20.0.1' }], ...body.IPAM },
    }
  }

  #create(name: string, body: ContainerCreate): { Id: string; Warnings: [] } {
    if ([...this.containers.values()].some(each => each.name === name))
      throw new Failure('conflict', `Conflict. The container name "/${name}" is already in use`)
    const { NetworkingConfig, HostConfig: host = {}, ...config } = body
    const image = this.images.get(config.Image!)
    if (!image) throw new Failure('not-found', `No such image: ${config.Image}`)
    const id = this.#id()
    const endpoints = Object.fromEntries(
      Object.entries(NetworkingConfig?.EndpointsConfig ?? {}).map(([key, own]) => [key, own ?? {}]),
    )
    const made = { id, name, image: image.id, config, host: filled(host), endpoints, starts: 0, exitCode: 0 }
    this.containers.set(id, { ...made, status: 'created', uploads: [] })
    for (const { Name } of volumesOf(this.named(id)))
      if (Name !== undefined && !this.volumes.has(Name)) this.volumes.set(Name, { Name })
    return { Id: id, Warnings: [] }
  }

  #start(container: FakeContainer): void {
    const { host, endpoints } = container
    const mode = host.NetworkMode ?? ''
    const shared = /^container:(.*)$/.exec(mode)?.[1]
    if (shared !== undefined && this.named(shared).status !== 'running')
      throw new Failure('conflict', `cannot join network of a non running container: ${shared}`)
    if (shared === undefined && Object.keys(endpoints).length > 0 && !this.networks.has(mode))
      throw new Failure('not-found', `could not find a network matching network mode ${mode}`)
    for (const name of Object.keys(endpoints)) this.#networkOf(name)
    container.status = 'running'
    container.starts++
    this.client.emit(container.id, 'start')
  }

  #end(container: FakeContainer, code: number): void {
    if (container.status !== 'running') return
    container.status = 'exited'
    container.exitCode = code
    this.client.emit(container.id, 'die')
  }

  /** Zero says nothing, as with Docker. */
  #update(container: FakeContainer, asked: ContainerUpdate): { Warnings: null } {
    const { host } = container
    if (asked.NanoCpus && ((host.CpuQuota ?? 0) > 0 || (host.CpuPeriod ?? 0) > 0))
      throw new Failure(
        'conflict',
        'Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set',
      )
    if (((asked.CpuQuota ?? 0) > 0 || asked.CpuPeriod) && host.NanoCpus)
      throw new Failure('conflict', 'Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set')
    if ((asked.Memory ?? 0) < 0) throw new Failure('invalid', 'Minimum memory limit allowed is 6MB')
    if (asked.Memory && !asked.MemorySwap && (host.MemorySwap ?? 0) > 0 && asked.Memory > host.MemorySwap!)
      throw new Failure('conflict', 'Memory limit should be smaller than already set memoryswap limit')
    const given = Object.entries(asked).filter(([name, value]) => name === 'PidsLimit' || Boolean(value))
    container.host = { ...host, ...Object.fromEntries(given) }
    return { Warnings: null }
  }

  #connect(network: string, { Container, EndpointConfig = {} }: Connect): void {
    const { Name } = this.#networkOf(network)
    const { endpoints, host, name } = this.named(Container)
    if (/^(host|none|container:.*)$/.test(host.NetworkMode ?? ''))
      throw new Failure(
        'denied',
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      )
    if (endpoints[Name]) throw new Failure('denied', `endpoint with name ${name} already exists in network ${Name}`)
    endpoints[Name] = EndpointConfig
  }

  #endpoints({ endpoints }: FakeContainer, whole: boolean): Record<string, EndpointSettings> {
    return Object.fromEntries(
      Object.entries(endpoints).map(([name, own]) => {
        const NetworkID = this.networks.get(name)?.id ?? ''
        const { IPAMConfig = {}, GwPriority = 0 } = own
        const said = { IPAMConfig, GwPriority, NetworkID, IPAddress: '172.20.0.2' }
        if (!whole) return [name, { ...said, Aliases: null, DriverOpts: null }]
        return [
          name,
          { ...said, Aliases: own.Aliases ?? null, DriverOpts: own.DriverOpts ?? null, Links: own.Links ?? null },
        ]
      }),
    )
  }

  #listed(container: FakeContainer) {
    const { id, name, status, exitCode, config, host, image } = container
    return {
      Id: id,
      Names: [`/${name}`],
      Image: config.Image,
      ImageID: image,
      Labels: config.Labels,
      State: status,
      Status:
        status === 'exited'
          ? `Exited (${exitCode}) 1 second ago`
          : `Up 1 second${health(container) ? ' (healthy)' : ''}`,
      HostConfig: this.#lists ? withLinks(container) : { NetworkMode: host.NetworkMode },
      NetworkSettings: { Networks: this.#endpoints(container, this.#lists) },
      Mounts: volumesOf(container),
    }
  }

  #inspected(container: FakeContainer) {
    const { id, name, status, exitCode, config, image } = container
    const StartedAt = '2020-01-01T00:00:00Z'
    const State = {
      Status: status,
      Running: status === 'running',
      ExitCode: exitCode,
      Error: '',
      OOMKilled: false,
      StartedAt,
    }
    return {
      Id: id,
      Name: `/${name}`,
      Image: image,
      State: { ...State, ...(health(container) ? { Health: { Status: 'healthy', Log: [] } } : {}) },
      // what its image has of its own
      Config: {
        ...config,
        Env: [...(config.Env ?? []), 'PATH=/bin'],
        Cmd: config.Cmd ?? ['sh'],
        WorkingDir: config.WorkingDir ?? '/',
      },
      HostConfig: withLinks(container),
      NetworkSettings: { Networks: this.#endpoints(container, true) },
    }
  }
}

interface Connect {
  readonly Container: string
  readonly EndpointConfig?: EndpointSettings
}

function health({ config, status }: FakeContainer): boolean {
  return status === 'running' && config.Healthcheck !== undefined && config.Healthcheck.Test?.[0] !== 'NONE'
}

/** As inspect shows them: "/db:/web/store". */
function withLinks({ host, name }: FakeContainer): HostConfig {
  if (!host.Links) return host
  return { ...host, Links: host.Links.map(link => link.replace(/^(.*):(.*)$/, `/$1:/${name}/$2`)) }
}

/** What an engine fills in where nothing is asked for. */
function filled(host: HostConfig): HostConfig {
  return {
    Memory: 0,
    NanoCpus: 0,
    CpuQuota: 0,
    CpuPeriod: 0,
    CpuShares: 0,
    CpusetCpus: '',
    MemoryReservation: 0,
    BlkioWeight: 0,
    ShmSize: 64 * 1024 ** 2,
    ...host,
    MemorySwap: host.MemorySwap || (host.Memory ?? 0) * 2,
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0, ...host.RestartPolicy },
  }
}

function volumesOf({ id, host, config }: FakeContainer) {
  const anonymous = (target: string) =>
    [...`${id}${target}`]
      .map(c => c.charCodeAt(0).toString(16))
      .join('')
      .slice(-64)
      .padStart(64, '0')
  const mounts = (host.Mounts ?? []).filter(({ Type }) => Type === 'volume')
  return [
    ...mounts.map(({ Source, Target }) => ({ Type: 'volume', Name: Source ?? anonymous(Target), Destination: Target })),
    ...Object.keys(config.Volumes ?? {}).map(target => ({
      Type: 'volume',
      Name: anonymous(target),
      Destination: target,
    })),
  ]
}
