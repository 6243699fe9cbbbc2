/** A container of a stack as a row, member by member what Compose's `ps --format json` has. */
import type { ContainerSummary } from '../api/containers.ts'
import { listedName } from '../api/listed-name.ts'
import { labels } from '../targets/engine/labels.ts'
import { cut, labelsText, serviceOf } from './names.ts'
import { type Publisher, portsText, publishersOf } from './ports.ts'
import { ago, goTime } from './times.ts'

export interface ContainerRow {
  readonly Command: string
  readonly CreatedAt: string
  readonly ExitCode: number
  readonly Health: string
  readonly ID: string
  readonly Image: string
  readonly Labels: string
  readonly LocalVolumes: string
  readonly Mounts: string
  readonly Name: string
  readonly Names: string
  readonly Networks: string
  readonly Ports: string
  readonly Project: string
  readonly Publishers: readonly Publisher[]
  readonly RunningFor: string
  readonly Service: string
  readonly Size: string
  readonly State: string
  readonly Status: string
  /** The value of one label. */
  Label(name: string): string
}

/** What the columns of a container are called. */
export const containerHeadings: Readonly<Record<string, string>> = {
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  ExitCode: 'EXIT CODE',
  Health: 'HEALTH',
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Labels: 'LABELS',
  LocalVolumes: 'LOCAL VOLUMES',
  Mounts: 'MOUNTS',
  Name: 'NAME',
  Names: 'NAMES',
  Networks: 'NETWORKS',
  Ports: 'PORTS',
  Project: 'PROJECT',
  Publishers: 'PUBLISHERS',
  RunningFor: 'CREATED',
  Service: 'SERVICE',
  Size: 'SIZE',
  State: 'STATE',
  Status: 'STATUS',
}

/** @param whole ids, commands and mounts at full length */
export function containerRow(
  container: ContainerSummary,
  { now, whole = false }: { readonly now: number; readonly whole?: boolean },
): ContainerRow {
  const own = container.Labels ?? {}
  const mounts = container.Mounts ?? []
  const created = container.Created * 1000
  return {
    Command: JSON.stringify(whole ? container.Command : cut(container.Command, 20)),
    CreatedAt: goTime(created),
    ExitCode: exitCodeOf(container.Status),
    Health: /\((?:health: )?(starting|healthy|unhealthy)\)/.exec(container.Status)?.[1] ?? '',
    ID: whole ? container.Id : container.Id.slice(0, 12),
    Image: container.Image,
    Labels: labelsText(own),
    LocalVolumes: String(mounts.filter(mount => mount.Driver === 'local').length),
    Mounts: mounts.map(mount => (whole ? mountName(mount) : cut(mountName(mount), 15))).join(','),
    Name: listedName(container),
    Names: listedName(container),
    Networks: Object.keys(container.NetworkSettings?.Networks ?? {})
      .sort()
      .join(','),
    Ports: portsText(container.Ports ?? []),
    Project: own[labels.project] ?? '',
    Publishers: publishersOf(container.Ports ?? []),
    RunningFor: ago(created, now),
    Service: serviceOf(container),
    // asked for nowhere: the engine would have to walk the container's files
    Size: '0B',
    State: container.State,
    Status: container.Status,
    Label: name => own[name] ?? '',
  }
}

/** The list tells the exit code of what is not running as part of a text only. */
function exitCodeOf(status: string): number {
  return Number(/^(?:Exited|Restarting) \((\d+)\)/.exec(status)?.[1] ?? 0)
}

function mountName({ Name, Source }: { readonly Name?: string; readonly Source: string }): string {
  return Name || Source
}
