/** The project's named volumes: missing, diverged or fine. */

import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { Change } from '../../../plan/change.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { EnginePlan } from '../engine-plan.ts'
import { labels, parseFields, volumeLabels } from '../labels.ts'
import type { Observed } from '../observed.ts'
import { planRemoval } from './ending.ts'
import { describeChange } from './fields.ts'
import { hashVolume } from './hash.ts'
import { volumeChanges } from './resource-values.ts'

export interface PlannedVolumes {
  /** By key in the stack: the node that makes it. */
  readonly nodes: ReadonlyMap<string, NodeId>
  /** Containers that had to go since their volume is made anew: id → node that removed it. */
  readonly removed: ReadonlyMap<string, NodeId>
}

export interface VolumesInput {
  readonly project: Project
  readonly observed: Observed
  readonly services: readonly Service[]
  /** As for networks. */
  readonly all?: boolean
  /** Diverged ones are made anew, and lose what is in them. */
  readonly recreate: boolean | ReadonlySet<string>
  readonly timeout: number | undefined
}

export function planVolumes(plan: EnginePlan, input: VolumesInput): PlannedVolumes {
  const { project, observed, services } = input
  const nodes = new Map<string, NodeId>()
  const removed = new Map<string, NodeId>()
  for (const key of input.all ? Object.keys(project.volumes).sort() : volumesOf(services)) {
    const volume = project.volumes[key]
    if (!volume) continue
    const there = observed.volumes.get(volume.name)
    if (volume.external) {
      if (!there)
        plan.refuse(project, ['volumes', key], {
          code: 'missing-volume',
          // Compose's text, which scripts look for
          message: `external volume "${volume.name}" not found`,
          hint: `Create it first, or remove "external" from volume "${key}"`,
        })
      continue
    }
    const hashed = hashVolume(volume)
    const body = {
      Name: volume.name,
      ...(volume.driver === undefined ? {} : { Driver: volume.driver }),
      ...(Object.keys(volume.driverOpts).length === 0 ? {} : { DriverOpts: volume.driverOpts }),
      Labels: {
        ...volume.labels,
        ...volumeLabels(project.name, key, hashed.hash),
        [labels.fields]: JSON.stringify(hashed.fields),
      },
    }
    const create = (cause: string, after: readonly NodeId[], changes: readonly Change[] = []): void => {
      const given = changes.length > 0 ? { changes } : {}
      nodes.set(key, plan.add({ kind: 'create-volume', cause, name: volume.name, body, ...given }, after))
    }
    if (!there) {
      create('not found', [])
      continue
    }
    if (there.labels[labels.project] !== project.name) {
      plan.warn(`Volume "${volume.name}" exists and was not made by this project: it is used as it is`)
      continue
    }
    const fields = parseFields(there.labels[labels.fields])
    if (there.labels[labels.configHash] === hashed.hash || !fields) continue
    const changes = volumeChanges({ before: fields, after: hashed.fields, there, body })
    if (changes.length === 0) continue
    const change = describeChange(fields, hashed.fields) ?? 'configuration changed'
    if (!isRecreated(input.recreate, volume.name)) {
      plan.warn(`Volume "${key}" is kept although its ${change}: making it anew would lose what is in it`)
      continue
    }
    const gone: NodeId[] = []
    for (const container of observed.containers.filter(c => c.volumes.some(v => v.name === volume.name))) {
      const { id } = container
      const service = project.services[container.service]
      const removal = { cause: `volume ${key} is made anew`, service, timeout: input.timeout, keepsLog: true }
      const node = removed.get(id) ?? planRemoval(plan, container, removal)
      removed.set(id, node)
      gone.push(node)
    }
    const removal = plan.add({ kind: 'remove-volume', cause: change, name: volume.name }, gone)
    create(change, [removal], changes)
  }
  return { nodes, removed }
}

/** Names of those that would be made anew if it were for the stack alone. */
export function changedVolumes(input: Omit<VolumesInput, 'recreate' | 'timeout'>): readonly string[] {
  const plan = new EnginePlan()
  planVolumes(plan, { ...input, recreate: true, timeout: undefined })
  return plan.nodes.flatMap(({ operation }) => (operation.kind === 'remove-volume' ? [operation.name] : []))
}

function isRecreated(recreate: VolumesInput['recreate'], name: string): boolean {
  return typeof recreate === 'boolean' ? recreate : recreate.has(name)
}

/** Keys of the named volumes that services mount, sorted. */
export function volumesOf(services: readonly Service[]): readonly string[] {
  const keys = services.flatMap(service =>
    service.mounts.flatMap(mount => (mount.kind === 'volume' && mount.source !== undefined ? [mount.source] : [])),
  )
  return [...new Set(keys)].sort()
}
