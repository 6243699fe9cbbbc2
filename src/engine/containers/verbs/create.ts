/** The body of a create → a container's record; ports, addresses and files are only taken at start. */
import { mkdirSync } from 'node:fs'
import { hostname as hostName } from 'node:os'
import type { ContainerCreate } from '../../../api/container-body.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { newContainerId } from '../../../lib/ids.ts'
import { removeFolder } from '../../base/remove-folder.ts'
import type { Digest } from '../../images/digest.ts'
import type { Image } from '../../images/image.ts'
import { parsePlatform } from '../../images/platform.ts'
import { checkEndpoint } from '../../networks/endpoint-check.ts'
import type { Config } from '../config/config.ts'
import { endpointsOf, networkKind } from '../config/endpoints.ts'
import { fillHostConfig } from '../config/host-config.ts'
import { logFile } from '../config/log-file.ts'
import { machineOf } from '../config/machine.ts'
import { type ConfigRequest, type ImageDefaults, mergeConfig } from '../config/merge-config.ts'
import { resolveMounts } from '../config/mount-points.ts'
import { checkSysctls } from '../config/spec.ts'
import { Container, newState, recordVersion } from '../container.ts'
import { populateVolumes } from '../files/mounts.ts'
import { ensureUpper } from '../files/upper.ts'
import { checkLinks } from '../linked.ts'
import { type Parts, tell } from '../parts.ts'
import { usersOf } from '../users.ts'

/** Where new containers find their place. */
export interface Seats {
  /** Takes a name, or makes one up. @throws Failure `conflict` when it is taken. */
  readonly reserve: (id: string, name: string | undefined) => string
  /** Gives the name back when the create fails. */
  readonly release: (name: string) => void
  /** Writes the record and adds the container to the collection. */
  readonly add: (container: Container) => Promise<void>
}

export interface CreateOptions extends Seats {
  readonly name?: string | undefined
  readonly platform?: string | undefined
  /** A limit that the machine lacks is an error. */
  readonly strict?: boolean | undefined
  readonly body: ContainerCreate
}

export async function create(parts: Parts, options: CreateOptions): Promise<{ Id: string; Warnings: string[] }> {
  const { body } = options
  checkImage(body)
  const id = newContainerId()
  const image = parts.images.get(body.Image)
  checkPlatform(options.platform, image, body.Image)
  const { hostConfig, warnings } = fillHostConfig(
    body.HostConfig ?? {},
    machineOf(parts, { strict: options.strict ?? false }),
  )
  const modes = joinById(parts, hostConfig)
  if (body.NetworkDisabled) modes.NetworkMode = 'none'
  const kind = networkKind(modes.NetworkMode)
  const config = mergeConfig(body as ConfigRequest, image.config as ImageDefaults, {
    hostname: kind.kind === 'host' ? hostName() : id.slice(0, 12),
  })
  checkConflicts(kind.kind, body, config)
  const asked = { ...hostConfig, ...modes }
  checkSysctls(asked)
  checkLinks(parts, asked)
  const endpoints = endpointsOf(asked.NetworkMode, body.NetworkingConfig?.EndpointsConfig)
  const first = endpoints[0]
  if (body.MacAddress && first && !first.macAddress) endpoints[0] = { ...first, macAddress: body.MacAddress }
  checkEndpoints(parts, endpoints)
  const mac = endpoints[0]?.macAddress
  if (mac) config.MacAddress = mac
  const name = options.reserve(id, options.name)
  const anonymous: string[] = []
  const layers: Digest[] = []
  const stand = (on: Image): Image => {
    layers.push(...on.diffIds)
    parts.images.keep(id, layers)
    return on
  }
  stand(image)
  try {
    const users = usersOf(parts, { id, labels: config.Labels, modes: asked })
    const mounts = await resolveMounts(config, asked, {
      root: parts.paths.roots.data,
      volumes: parts.volumes,
      get: ref => askedFor(parts, ref),
      image: ref => stand(parts.images.get(ref)),
      onAnonymous: volume => anonymous.push(volume),
    })
    await populateVolumes(parts.volumes, mounts, parts.images.layers(image))
    const container = new Container(
      {
        version: recordVersion,
        id,
        name,
        created: new Date().toISOString(),
        imageId: image.id,
        layers: image.diffIds,
        imageRef: body.Image,
        ...(parts.storage === 'vfs' && { root: 'copy' as const }),
        config,
        hostConfig: asked,
        endpoints,
        mounts,
        users,
      },
      newState(parts.boot),
      parts,
    )
    // what does not work out for this container is told now and not when it starts
    logFile(container.record, parts.paths.containerLog(id))
    // at once: too short to be worth a thread
    mkdirSync(parts.paths.container(id), { mode: 0o700 })
    // a copy takes its time, and room: both now and not at the start
    if (container.record.root === 'copy') await ensureUpper(parts, container)
    await options.add(container)
    tell(parts, container, 'create')
    return { Id: id, Warnings: warnings }
  } catch (error) {
    options.release(name)
    parts.users.release(id)
    await parts.images.release(id)
    await removeFolder(parts.paths.container(id))
    for (const volume of anonymous) await parts.volumes.remove(volume, { force: true, usedBy: () => [] })
    throw error
  }
}

function checkPlatform(asked: string | undefined, image: { os: string; architecture: string }, ref: string): void {
  if (!asked) return
  const { os, architecture } = parsePlatform(asked)
  if (os !== image.os || (image.architecture && architecture !== image.architecture))
    throw new Failure(
      'not-found',
      `image with reference ${ref} was found but its platform (${image.os}/${image.architecture}) does not match the specified platform (${asked})`,
    )
}

/** "container:web" keeps pointing at the same container when web is renamed. @throws Failure `not-found`, `invalid` as from Docker. */
function joinById(parts: Parts, modes: Record<'NetworkMode' | 'PidMode' | 'IpcMode' | 'UsernsMode', string>) {
  const byId = (mode: string, get: (ref: string) => { readonly id: string } | undefined) =>
    mode.startsWith('container:')
      ? `container:${get(mode.slice('container:'.length))?.id ?? mode.slice('container:'.length)}`
      : mode
  const asked = (ref: string) => askedFor(parts, ref)
  return {
    NetworkMode: byId(modes.NetworkMode, ref => find(parts, ref)),
    PidMode: byId(modes.PidMode, asked),
    IpcMode: byId(modes.IpcMode, asked),
    UsernsMode: byId(modes.UsernsMode, asked),
  }
}

/** Whose network is joined may come later, until the start. */
function find(parts: Parts, ref: string): Container | undefined {
  try {
    return parts.get(ref)
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
    return undefined
  }
}

/** @throws Failure `invalid` in Docker's words. */
function checkImage(body: ContainerCreate): asserts body is ContainerCreate & { readonly Image: string } {
  if (body.Image) return
  const said = Object.keys(body).some(key => key !== 'HostConfig' && key !== 'NetworkingConfig')
  if (!said) throw new Failure('invalid', 'config cannot be empty in order to create a container')
  const command = body.Cmd?.length || body.Entrypoint?.length
  throw new Failure('invalid', command ? 'no image specified' : 'no command specified')
}

/** A container that a request names beside its own: that there is none is the request's fault. */
function askedFor(parts: Parts, ref: string): Container {
  try {
    return parts.get(ref)
  } catch (cause) {
    if (!isFailure(cause, 'not-found')) throw cause
    throw new Failure('invalid', cause.message, { cause })
  }
}

/** What cannot be had together with a network namespace that is somebody else's. */
function checkConflicts(kind: string, body: ContainerCreate, config: Config): void {
  if (kind !== 'container') return
  const conflict = (what: string) => new Failure('invalid', `conflicting options: ${what} and the network mode`)
  if (body.Hostname) throw conflict('hostname')
  if (body.HostConfig?.Dns?.length) throw conflict('dns')
  if (body.HostConfig?.ExtraHosts?.length)
    throw new Failure('invalid', 'conflicting options: custom host-to-IP mapping and the network mode')
  if (Object.keys(body.HostConfig?.PortBindings ?? {}).length > 0 || body.HostConfig?.PublishAllPorts)
    throw new Failure('invalid', 'conflicting options: port publishing and the container type network mode')
  if (body.ExposedPorts && Object.keys(body.ExposedPorts).length > 0)
    throw new Failure('invalid', 'conflicting options: port exposing and the container type network mode')
  delete config.ExposedPorts
}

/** @throws Failure `invalid` in Docker's words. A network that is not there yet may come until the start. */
function checkEndpoints(parts: Parts, endpoints: ReturnType<typeof endpointsOf>): void {
  for (const endpoint of endpoints)
    try {
      checkEndpoint(parts.networks.find(endpoint.network), endpoint)
    } catch (cause) {
      if (!isFailure(cause, 'invalid')) throw cause
      throw new Failure('invalid', `invalid config for network ${endpoint.network}: ${cause.message}`, { cause })
    }
}
