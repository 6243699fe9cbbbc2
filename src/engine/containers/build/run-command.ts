/** One command of a build: a container that is in no list, gone with all it held when it has ended. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newContainerId } from '../../../lib/ids.ts'
import { lastGroup } from '../../../runtime/host.ts'
import type { ContainerSpec, HostPath, MountSpec } from '../../../runtime/spec.ts'
import { layerTar } from '../../base/layer-tar.ts'
import { readTreeFile } from '../../base/merged-tree.ts'
import { removeFolder } from '../../base/remove-folder.ts'
import type { BuildCommand, RunCommand } from '../../build/run-command.ts'
import { unpack } from '../../images/unpack.ts'
import { nothingInjected } from '../cdi/inject.ts'
import { resolveDevices } from '../config/devices.ts'
import { commandEnvironment } from '../config/environment.ts'
import { fillHostConfig } from '../config/host-config.ts'
import { machineOf } from '../config/machine.ts'
import { mergeConfig } from '../config/merge-config.ts'
import { containerSpec } from '../config/spec.ts'
import { findUser } from '../config/user.ts'
import { runtimePlaces } from '../files/changes.ts'
import { sortMounts } from '../files/mounts.ts'
import { copiedMounts, wholeCopy } from '../files/whole-copy.ts'
import type { Parts } from '../parts.ts'
import { type CommandNetwork, hostFileMounts, hostname, openNetwork } from './command-network.ts'
import type { EndedCommand } from './keep-command.ts'
import { missingPoints, removePoints } from './mount-points.ts'

/** More than any real passwd or group: an image cannot fill the engine's memory with one. */
const largestFile = 1024 * 1024

const killed = 9

/**
 * Runs builds' commands on the engine's own runtime and networks. `keep`: of one that is to stay; where overlay does not work none does, since
 * each would be a copy of all that is below it.
 */
export function commandRunner(parts: Parts, keep: (ended: EndedCommand) => Promise<void>): RunCommand {
  return async given => {
    const [id, started] = [newContainerId(), new Date()]
    const command = { ...given, id }
    given.onContainer(id)
    if (parts.storage === 'vfs') return await runOnCopy(parts, command)
    const exitCode = await runCommand(parts, command)
    if (given.keep && (exitCode !== 0 || given.keep.when === 'ended'))
      await keep({ id, command, image: await given.keep.image(), exitCode, started })
    return exitCode
  }
}

type Running = BuildCommand & { readonly id: string }

/** Where overlay does not work: on a copy of all layers, of which what has changed is put into the upper. */
async function runOnCopy(parts: Parts, command: Running): Promise<number> {
  const { layers: below, upper, work } = command
  const root = join(work, 'root')
  if (below.length > 0) await wholeCopy(below, root, { ownRoot: true })
  const mounts = await copiedMounts(command.mounts, join(work, 'images'))
  if (below.length === 0) return await runCommand(parts, { ...command, mounts })
  const code = await runCommand(parts, { ...command, layers: [], upper: root, mounts })
  if (code !== 0) return code
  const limits = { bytes: Infinity, entries: Infinity, depth: Infinity }
  await unpack(layerTar(root, { below, places: new Set(), whole: true }), upper, limits)
  return code
}

async function runCommand(parts: Parts, command: Running): Promise<number> {
  const { id, signal, onOutput, upper, layers } = command
  signal.throwIfAborted()
  const folder = parts.paths.buildRun(id)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => removeFolder(folder))
  const network = await openNetwork(parts, id, command, undo)
  const mounts = sortMounts([...command.mounts, ...ownFiles(command, hostFileMounts(folder, network, command))])
  const spec = await commandSpec(parts, command, { id, folder, mounts, network })
  undo.defer(() =>
    parts.runtime.runHost({ kind: 'host', operations: [{ kind: 'delete-cgroup', path: spec.cgroup.path }] }),
  )
  const made = missingPoints([...layers, upper], [...runtimePlaces, ...mounts.map(({ target }) => target)])
  undo.defer(() => removePoints(upper, layers, made))
  const process = await parts.runtime.start(spec, { signal })
  const kill = () => process.signal(killed)
  undo.defer(async () => void (await process.exited))
  signal.addEventListener('abort', kill, { once: true })
  try {
    for await (const { stream, data } of process.attached!.output) onOutput(stream, data)
  } catch (error) {
    kill()
    throw error
  }
  const { code } = await process.exited
  signal.removeEventListener('abort', kill)
  signal.throwIfAborted()
  return code
}

/** A mount of the command's own over one of these files wins. */
function ownFiles({ mounts }: BuildCommand, files: readonly MountSpec[]): readonly MountSpec[] {
  const taken = new Set(mounts.map(({ target }) => target))
  return files.filter(({ target }) => !taken.has(target))
}

interface Place {
  readonly id: string
  readonly folder: HostPath
  readonly mounts: readonly MountSpec[]
  readonly network: CommandNetwork
}

async function commandSpec(parts: Parts, command: BuildCommand, place: Place): Promise<ContainerSpec> {
  const { id, folder, mounts, network } = place
  const { args, cwd, layers, upper, work } = command
  const text = (path: string) => readTreeFile([...layers, upper], path, largestFile)?.toString('utf8') ?? ''
  const user = findUser(command.user, [], { passwd: text('/etc/passwd'), group: text('/etc/group') })
  const { hostConfig } = fillHostConfig(
    {
      NetworkMode: command.network === 'default' ? 'bridge' : command.network,
      Privileged: command.privileged,
      ShmSize: command.shmSize,
      Ulimits: command.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
      LogConfig: { Type: 'none', Config: {} },
    },
    machineOf(parts),
  )
  const monitor = join(folder, 'monitor')
  mkdirSync(monitor, { recursive: true, mode: 0o700 })
  const cgroup = parts.paths.name.cgroup(id, command.cgroupParent)
  // for the engine after this one, should it be killed
  writeFileSync(join(folder, 'cgroup'), cgroup)
  const config = mergeConfig({ Entrypoint: args, WorkingDir: cwd, User: command.user }, {}, { hostname })
  const spec = containerSpec(
    { id, config, hostConfig },
    {
      layers,
      upper,
      work,
      mounts,
      network: network.spec,
      userNamespace: { kind: 'host' },
      lastGroup: lastGroup(),
      user,
      devices: await resolveDevices(hostConfig),
      injected: nothingInjected,
      links: [],
      joined: () => {
        throw new TypeError('a build joins no container')
      },
      hostname,
      monitor,
      log: undefined,
      cgroup,
      attach: { stdin: false, stdout: true, stderr: true },
      masked: parts.masked,
    },
  )
  return {
    ...spec,
    // on nothing, what is written is all there is
    root: layers.length === 0 ? { ...spec.root, kind: 'copy' } : spec.root,
    cgroup: { ...spec.cgroup, ...command.limits },
    process: { ...spec.process, env: commandEnvironment(command.env, user.home) },
  }
}
