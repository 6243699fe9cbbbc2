/** Starts a container: looks everything up, takes addresses and ports, runs its program. A failed start leaves nothing behind. */
import { existsSync, mkdirSync } from 'node:fs'
import { Failure, isFailure, messageOf } from '../../../lib/failure.ts'
import { lastGroup } from '../../../runtime/host.ts'
import type { Supervised } from '../../../runtime/runtime.ts'
import type { ContainerSpec, MountSpec, NetworkSpec } from '../../../runtime/spec.ts'
import { removeFolder } from '../../base/remove-folder.ts'
import { spaceFailure } from '../../base/space.ts'
import { healthPlan, startingHealth } from '../../health/state.ts'
import type { Injected } from '../cdi/inject.ts'
import { injectedDevices } from '../cdi/injected-devices.ts'
import { underDefaults } from '../config/container-defaults.ts'
import { type Devices, resolveDevices } from '../config/devices.ts'
import { networkKind } from '../config/endpoints.ts'
import { linkEnvironment } from '../config/links.ts'
import { logFile } from '../config/log-file.ts'
import { containerSpec } from '../config/spec.ts'
import { type FoundUser, findUser } from '../config/user.ts'
import type { Container } from '../container.ts'
import { hostFileNames, writeHostFiles } from '../files/host-files.ts'
import { mountPoints } from '../files/mount-points.ts'
import { mountSpecs } from '../files/mounts.ts'
import { ensureUpper } from '../files/upper.ts'
import { copiedMounts } from '../files/whole-copy.ts'
import { imageLayers } from '../layers.ts'
import { linkedContainers, tellLinked } from '../linked.ts'
import { attachNetwork, type ContainerNetwork, newSandbox, releaseNetwork, sandboxTurn } from '../network.ts'
import { joined, type Parts, tell, tellVolumes } from '../parts.ts'
import { tee } from '../stdio/tee.ts'
import { openForward, tendLog } from '../stdio/tend-log.ts'
import { userNamespace } from '../users.ts'

export interface Attended {
  readonly signal?: AbortSignal | undefined
  /** Id or name of a running container whose ports and names it does without until it takes over. */
  readonly successorOf?: string | undefined
  /** By its policy or with the engine: a log server that is not there is told of later, and gets then what it missed. */
  readonly unattended?: boolean
}

export interface StartOptions extends Attended {
  /** Called once it runs, before anyone is told, to follow its exit and health. */
  readonly onStarted: (container: Container, process: Supervised) => void
}

/** @throws Failure `not-modified` when it runs already; 400 with exit code 126 or 127 when the command is at fault. */
export async function start(parts: Parts, container: Container, options: StartOptions): Promise<void> {
  const { signal, successorOf, unattended, onStarted } = options
  if (container.state.status === 'paused')
    throw new Failure('conflict', 'cannot start a paused container, try unpause instead')
  if (container.running) throw new Failure('not-modified', `Container ${container.id} is already running`)
  clearTimeout(container.restart)
  container.restart = undefined
  await container.settled
  const before = container.state
  container.move('starting', { error: '', exitCode: 0, boot: parts.boot })
  try {
    await using undo = new AsyncDisposableStack()
    const { spec, network } = await prepare(parts, container, { undo, successorOf })
    const sender = unattended ? undefined : await openForward(parts, container, undo)
    const onSandbox = sandboxTurn(parts, container, network, undo)
    const process = await parts.runtime.start(spec, { signal, onSandbox })
    container.process = process
    container.spec = spec
    container.move('running', {
      pid: process.pid,
      startedAt: process.startedAt.toISOString(),
      finishedAt: before.finishedAt,
      oomKilled: false,
      stoppedOnPurpose: false,
      sandbox: network.sandbox,
      attachments: [...network.attachments],
      ports: [...network.ports],
      // one that is started again, with its network, stays what it was
      stepsBack: before.sandbox === undefined ? successorOf !== undefined || undefined : before.stepsBack,
      health: healthPlan(container.record.config.Healthcheck) && startingHealth,
    })
    undo.move()
    connectWaiting(container, process)
    tendLog(parts, container, { sender, ended: process.exited })
    onStarted(container, process)
    await container.save()
  } catch (error) {
    if (container.state.status !== 'starting') throw error
    const failure = startFailure(error)
    container.move(before.startedAt ? 'exited' : 'created', {
      error: failure.message,
      exitCode: failure.exitCode ?? 128,
      restartCount: before.restartCount,
    })
    // kept from the run before, for the one that was to follow
    await releaseNetwork(parts, container)
    endWaiting(container)
    await container.save()
    throw failure
  }
  tellLinked(parts, container)
  tellVolumes(parts, container, 'mount')
  tell(parts, container, 'start')
}

/** Everything up to the runtime's turn. */
async function prepare(
  parts: Parts,
  container: Container,
  { undo, successorOf }: { readonly undo: AsyncDisposableStack; readonly successorOf: string | undefined },
): Promise<{ spec: ContainerSpec; network: ContainerNetwork }> {
  const { record } = container
  const { paths } = parts
  const layers = imageLayers(parts.images, record)
  const prepared = await Promise.allSettled([
    attachNetwork(parts, container, undo, successorOf),
    makeFolders(parts, container).then(() => containerUser(parts, container, layers)),
    resolveDevices(record.hostConfig),
    injectedDevices(parts, container),
  ])
  const [network, found, devices, injected] = valuesOf(prepared) as [ContainerNetwork, FoundUser, Devices, Injected]
  const folder = paths.container(network.filesOf)
  const links = linkedContainers(parts, container)
  const user = userNamespace(parts, container, { network: network.spec })
  if (network.filesOf === container.id)
    writeHostFiles(container, { folder, attachments: network.attachments, hostname: network.hostname, links })
  const mounts = await ownMounts(parts, container, folder)
  const spec = containerSpec(
    { ...record, hostConfig: underDefaults(record.hostConfig, parts.defaults) },
    {
      ...places(parts, container),
      layers,
      mounts,
      network: network.spec,
      userNamespace: user,
      user: found,
      devices,
      injected,
      links: linkEnvironment(record.name, links),
      joined: (mode, what) => joinedProcess(parts, mode, what),
      hostname: network.hostname,
      attach: waitingStreams(container),
    },
  )
  return { spec, network }
}

async function ownMounts(parts: Parts, container: Container, folder: string): Promise<MountSpec[]> {
  const mounts = await mountSpecs(container, { ...mountSources(parts), folder, hostFiles: hostFileNames })
  return container.record.root === 'copy'
    ? await copiedMounts(mounts, parts.paths.containerImages(container.id))
    : mounts
}

function mountSources({ images, volumes }: Parts) {
  return { volumes, images }
}

/** All have ended before the first failure is thrown, so that undo finds everything made. */
function valuesOf(results: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return results.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

function places({ paths, masked }: Parts, { id, cgroup, record }: Container) {
  return {
    cgroup,
    lastGroup: lastGroup(),
    mountPoints: mountPoints(paths),
    upper: paths.containerUpper(id),
    work: paths.containerWork(id),
    monitor: paths.monitor(id),
    log: logFile(record, paths.containerLog(id)),
    masked,
  }
}

/** The spec of its last start, or of the next one as far as it can be told without taking addresses: for `explain`. */
export async function shownSpec(parts: Parts, container: Container): Promise<ContainerSpec> {
  if (container.spec) return container.spec
  const { record, state } = container
  const layers = imageLayers(parts.images, record)
  const folder = parts.paths.container(container.id)
  const path = parts.paths.sandbox(container.id)
  const kind = networkKind(record.hostConfig.NetworkMode).kind
  const [mounts, devices, injected] = await Promise.all([
    mountSpecs(container, { ...mountSources(parts), folder, hostFiles: hostFileNames, dry: true }),
    resolveDevices(record.hostConfig),
    injectedDevices(parts, container),
    ensureUpper(parts, container),
  ])
  const network: NetworkSpec =
    kind === 'host'
      ? { kind: 'host' }
      : kind === 'container'
        ? { kind: 'join', path }
        : newSandbox(path, state.attachments)
  return containerSpec(
    { ...record, hostConfig: underDefaults(record.hostConfig, parts.defaults) },
    {
      ...places(parts, container),
      layers,
      mounts,
      network,
      userNamespace: userNamespace(parts, container, { network, dry: true }),
      user: containerUser(parts, container, layers),
      devices,
      injected,
      links: [],
      joined: mode => processOf(joined(parts, mode)!),
      hostname: record.config.Hostname,
      attach: undefined,
    },
  )
}

function processOf({ state, cgroup }: Container) {
  return { pid: state.pid, cgroupPath: cgroup }
}

/** @throws Failure when there is no process, or none that lets others in. */
function joinedProcess(parts: Parts, mode: string, what: 'IPC' | 'PID') {
  const other = joined(parts, mode)!
  // 500 for the one and 409 for the other, as from Docker
  const refuse = (why: string) =>
    new Failure(
      what === 'PID' ? 'internal' : 'conflict',
      `failed to join ${what} namespace: container ${other.id}${why}`,
    )
  if (!other.running) throw refuse(' is not running')
  const shareable = /^(shareable|host|container:.*)$/.test(other.record.hostConfig.IpcMode)
  if (what === 'IPC' && !shareable)
    throw refuse(': non-shareable IPC (hint: use IpcMode:shareable for the donor container)')
  return processOf(other)
}

/** The writable layer, and an empty folder for the monitor. */
async function makeFolders(parts: Parts, container: Container): Promise<void> {
  const { paths } = parts
  const monitor = paths.monitor(container.id)
  await ensureUpper(parts, container)
  if (existsSync(monitor)) await removeFolder(monitor)
  mkdirSync(monitor, { recursive: true, mode: 0o700 })
}

/** The user of a container or exec, by the container's own files. @throws Failure with Docker's text. */
export function containerUser(
  parts: Parts,
  container: Container,
  layers: readonly string[],
  user: string = container.record.config.User,
): FoundUser {
  const groupAdd = container.record.hostConfig.GroupAdd ?? []
  const upper = parts.paths.containerUpper(container.id)
  const below = container.record.root === 'copy' ? [] : layers
  return findUser(user, groupAdd, parts.userFiles.of(below, upper))
}

function waitingStreams(container: Container): ContainerSpec['stdio']['attach'] {
  if (container.waiting.size === 0) return undefined
  const streams = [...container.waiting].map(waiting => waiting.streams)
  return {
    stdin: streams.some(({ stdin }) => stdin),
    stdout: streams.some(({ stdout }) => stdout),
    stderr: streams.some(({ stderr }) => stderr),
  }
}

/** The first who waits gets the stream from its first byte; several share it. */
function connectWaiting(container: Container, process: Supervised): void {
  const waiting = [...container.waiting]
  container.waiting.clear()
  const { attached } = process
  if (waiting.length === 0 || !attached) return
  const streams = tee(attached, waiting.length)
  for (const [i, client] of waiting.entries()) client.connect(streams[i]!)
}

function endWaiting(container: Container): void {
  for (const client of container.waiting) client.end()
  container.waiting.clear()
}

/** The runtime's failure in the words Docker's clients look for. */
function startFailure(thrown: unknown): Failure {
  const error = spaceFailure(thrown)
  if (!(error instanceof Failure)) return new Failure('internal', messageOf(error), { cause: error })
  if (!isCommandFailure(error)) return error
  return new Failure('invalid', `failed to create task for container: ${error.message}`, {
    cause: error,
    exitCode: error.exitCode,
    hint: error.hint,
  })
}

/** Whether a failed start is the command's fault rather than the engine's: it is not there, or cannot be run. */
export function isCommandFailure(error: unknown): error is Failure {
  return isFailure(error) && (error.exitCode === 126 || error.exitCode === 127)
}
