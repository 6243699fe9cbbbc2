/**
 * Each folder beside this file is one rule: `compose.yaml`, what is wanted; `before.yaml`, what is up, if anything; `how.yaml`, what is asked
 * for and what has happened since; `plan.txt`, what is then done. Rewritten by `npm run golden`.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { Project } from '../../../src/model/project.ts'
import { printPlan } from '../../../src/plan/print.ts'
import { loadStack } from '../../../src/stack/load.ts'
import { EnginePlan } from '../../../src/targets/engine/engine-plan.ts'
import type {
  Observed,
  ObservedContainer,
  ObservedImage,
  ObservedNetwork,
  ObservedVolume,
} from '../../../src/targets/engine/observed.ts'
import { type BuildOptions, planBuilds } from '../../../src/targets/engine/plan/builds.ts'
import { planDown } from '../../../src/targets/engine/plan/down.ts'
import { filesOf } from '../../../src/targets/engine/plan/file-objects.ts'
import { imagesOf, planPull } from '../../../src/targets/engine/plan/images.ts'
import { planOneOff } from '../../../src/targets/engine/plan/one-off.ts'
import { reconcile, type UpOptions } from '../../../src/targets/engine/plan/reconcile.ts'
import type { Target } from '../../../src/targets/engine/plan/scope.ts'
import {
  planKill,
  planPause,
  planRemove,
  planRestart,
  planStart,
  planStop,
  planUnpause,
} from '../../../src/targets/engine/plan/turn.ts'
import { applied, image, nothing } from '../../targets/engine/plan/project.ts'

/** `how.yaml`. */
interface How {
  /** What is up came of before.yaml, which is still there, and not of compose.yaml as it was. */
  readonly otherFile?: boolean
  /** Undefined: up. */
  readonly command?: keyof typeof commands
  readonly options?: Readonly<Record<string, unknown>>
  readonly profiles?: readonly string[]
  /** --all-resources. */
  readonly allResources?: boolean
  /** No stack file: the project's name alone. */
  readonly byName?: boolean
  /** What has become of containers since: name → what differs. */
  readonly since?: Readonly<Record<string, Partial<ObservedContainer>>>
  /** Containers that were removed by hand. */
  readonly gone?: readonly string[]
  /** An `up` before was killed after so many nodes of its plan. */
  readonly interrupted?: number
  /** After so many nodes of its plan the update fails. */
  readonly failed?: number
  /** The engine passes ports and names from one container to another. */
  readonly handsOver?: boolean
  /** Images as they are now; false: not there. */
  readonly images?: Readonly<Record<string, Partial<ObservedImage> | false>>
  /** Networks and volumes that others have made. */
  readonly networks?: readonly string[]
  readonly volumes?: readonly string[]
}

const commands = {
  up: (target: Target, observed: Observed, options: UpOptions) => reconcile(target as Project, observed, options),
  pull: (target: Target, observed: Observed, options: object) => planPull(target as Project, observed, options),
  build: (target: Target, observed: Observed, { bases, ...options }: BuildOptions & { bases?: object }) =>
    planBuilds(target as Project, observed, { ...options, bases: new Map(Object.entries(bases ?? {})) }),
  run: (target: Target, observed: Observed, options: { readonly service: string; readonly useAliases?: boolean }) => {
    const project = target as Project
    const service = project.services[options.service]!
    const rest = { name: undefined, pull: undefined, wait: true, slug: 'f'.repeat(64), change: <T>(body: T) => body }
    return planOneOff({ useAliases: false, quietOrphans: false, ...rest, project, service, observed }).plan
  },
  down: planDown,
  stop: planStop,
  start: planStart,
  restart: planRestart,
  kill: planKill,
  pause: planPause,
  unpause: planUnpause,
  rm: planRemove,
} as const satisfies Record<string, (target: Target, observed: Observed, options: never) => EnginePlan>

async function load(folder: string, file: string, { profiles = [], allResources = false }: How): Promise<Project> {
  const options = {
    files: [join(folder, file)],
    environment: {},
    cwd: folder,
    projectName: 'shop',
    profiles,
    allResources,
  }
  return (await loadStack(options)).project
}

/** What is up, and what has happened to it since. */
async function found(folder: string, how: How): Promise<Observed> {
  let observed = nothing({ images: new Map() })
  if (existsSync(join(folder, 'before.yaml'))) {
    const read = await load(folder, 'before.yaml', { profiles: ['*'] })
    // the same file at another time, or one beside it
    const before = how.otherFile ? read : { ...read, files: [join(folder, 'compose.yaml')] }
    const images = new Map(imagesOf(before).map(name => [name, image(`sha256:${name}`)]))
    const files = new Map(filesOf(before).map(file => [file, 'present']))
    observed = applied(reconcile(before, { ...observed, images, files }), { ...observed, images })
  }
  const images = new Map(observed.images)
  for (const [name, own] of Object.entries(how.images ?? {}))
    if (own === false) images.delete(name)
    else images.set(name, image(`sha256:${name}`, own))
  const known = new Set(observed.containers.map(({ name }) => name))
  for (const name of [...(how.gone ?? []), ...Object.keys(how.since ?? {})])
    assert.ok(known.has(name), `${name} is not up before`)
  return {
    ...observed,
    images,
    handsOver: how.handsOver ?? false,
    networks: new Map<string, ObservedNetwork>([
      ...observed.networks,
      ...(how.networks ?? []).map(name => [name, { id: `net-${name}`, name, labels: {} }] as const),
    ]),
    volumes: new Map<string, ObservedVolume>([
      ...observed.volumes,
      ...(how.volumes ?? []).map(name => [name, { name, labels: {} }] as const),
    ]),
    containers: observed.containers
      .filter(({ name }) => !how.gone?.includes(name))
      .map(container => happened(container, how.since?.[container.name])),
  }
}

/** Taken off a network it is no longer told to be on it. */
function happened(container: ObservedContainer, since: Partial<ObservedContainer> | undefined): ObservedContainer {
  const networks = since?.networks
  if (networks === undefined) return { ...container, ...since }
  const endpoints = Object.entries(container.live?.endpoints ?? {}).filter(([name]) => name in networks)
  return { ...container, ...since, live: { host: {}, ...container.live, endpoints: Object.fromEntries(endpoints) } }
}

function planOf(how: How, project: Project, observed: Observed): EnginePlan | string {
  const plan = commands[how.command ?? 'up'] as (target: Target, observed: Observed, options: object) => EnginePlan
  try {
    return plan(how.byName ? { name: project.name } : project, observed, how.options ?? {})
  } catch (error) {
    return `refused: ${(error as Error).message}\n`
  }
}

for (const entry of readdirSync(import.meta.dirname, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue
  const folder = join(import.meta.dirname, entry.name)
  test(`the plan of ${entry.name} is as written`, async t => {
    const file = join(folder, 'how.yaml')
    const how: How = existsSync(file) ? parse(readFileSync(file, 'utf8')) : {}
    const project = await load(folder, 'compose.yaml', how)
    const files = new Map(filesOf(project).map(path => [path, 'present']))
    let observed = { ...(await found(folder, how)), files }
    if (how.interrupted !== undefined)
      observed = { ...applied(firstOf(reconcile(project, observed), how.interrupted), observed), files }
    const plan = planOf(how, project, observed)
    if (how.failed !== undefined && typeof plan !== 'string')
      for (const rollout of plan.rollouts) rollout.recover(plan, node => node <= how.failed!)
    t.assert.fileSnapshot(shown(plan).replaceAll(`${folder}/`, ''), join(folder, 'plan.txt'), {
      serializers: [(text: unknown) => String(text)],
    })
  })
}

/** The beginning of a plan. */
function firstOf({ nodes }: EnginePlan, count: number): EnginePlan {
  const plan = new EnginePlan()
  for (const { operation, after } of nodes.slice(0, count)) plan.add(operation, after)
  return plan
}

/** The operations, then what else a reader is told. */
function shown(plan: EnginePlan | string): string {
  if (typeof plan === 'string') return plan
  const running = plan.running.map(name => `running: ${name}\n`)
  const warnings = plan.warnings.map(text => `warning: ${text}\n`)
  const gone = plan.destructive().map(({ operation }) => `destroys: ${operation.name}\n`)
  return [printPlan(plan) || 'no changes\n', ...running, ...warnings, ...gone].join('')
}
