/** A command of a build that has ended → a container that has exited, with what it wrote: `docker build --rm=false`, or one that failed. */
import { mkdir } from 'node:fs/promises'
import { layerTar } from '../../base/layer-tar.ts'
import { removeFolder } from '../../base/remove-folder.ts'
import type { BuildCommand } from '../../build/run-command.ts'
import type { Image } from '../../images/image.ts'
import { unpack } from '../../images/unpack.ts'
import { endpointsOf } from '../config/endpoints.ts'
import { fillHostConfig } from '../config/host-config.ts'
import { machineOf } from '../config/machine.ts'
import { type ImageDefaults, mergeConfig } from '../config/merge-config.ts'
import { Container, newState, recordVersion } from '../container.ts'
import { ensureUpper } from '../files/upper.ts'
import { type Parts, tell } from '../parts.ts'
import type { Seats } from '../verbs/create.ts'

export interface EndedCommand {
  readonly id: string
  readonly command: BuildCommand
  /** Of what it ran on. */
  readonly image: Image
  readonly exitCode: number
  readonly started: Date
}

/** What it printed was the build's, and is not kept. */
export async function keepCommand(parts: Parts, ended: EndedCommand, seats: Seats): Promise<void> {
  const { id, command, image, exitCode, started } = ended
  const { args, cwd, env, user, upper, layers } = command
  const { hostConfig } = fillHostConfig(
    {
      NetworkMode: command.network === 'default' ? 'bridge' : command.network,
      LogConfig: { Type: 'none', Config: {} },
    },
    machineOf(parts),
  )
  const config = mergeConfig({ Cmd: args, WorkingDir: cwd, User: user, Env: env }, image.config as ImageDefaults, {
    hostname: id.slice(0, 12),
  })
  const name = seats.reserve(id, undefined)
  parts.images.keep(id, image.diffIds)
  try {
    const container = new Container(
      {
        version: recordVersion,
        id,
        name,
        created: started.toISOString(),
        imageId: image.id,
        layers: image.diffIds,
        imageRef: image.id,
        config,
        hostConfig,
        endpoints: endpointsOf(hostConfig.NetworkMode, undefined),
        mounts: [],
      },
      {
        ...newState(parts.boot),
        status: 'exited',
        exitCode,
        startedAt: started.toISOString(),
        finishedAt: new Date().toISOString(),
      },
      parts,
    )
    await mkdir(parts.paths.container(id), { mode: 0o700 })
    await ensureUpper(parts, container)
    // the step's own becomes a layer
    const limits = { bytes: Infinity, entries: Infinity, depth: Infinity }
    await unpack(layerTar(upper, { below: layers, places: new Set() }), parts.paths.containerUpper(id), limits)
    await container.save({ lasting: true })
    await seats.add(container)
    tell(parts, container, 'create')
  } catch (error) {
    seats.release(name)
    await parts.images.release(id)
    await removeFolder(parts.paths.container(id))
    throw error
  }
}
