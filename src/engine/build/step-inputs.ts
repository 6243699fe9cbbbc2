/** All that a step's result depends on: its cache key is made of nothing else, so whatever makes it miss can be named. */
import { stableHash } from '../../lib/stable-json.ts'
import type { FilesDigest } from './copy-request.ts'
import type { AddStep, CopyStep, Input, RunMount, RunStep, Step, WorkdirStep } from './dockerfile/plan.ts'
import { textOf } from './event-ids.ts'

export interface StepInputs {
  /** As it is shown; not part of the key. */
  readonly text: string
  /** Chain id of what it lies on; "" on nothing. */
  readonly below: string
  /** By what they are called when they change: "ARG V", "ENV A", "user". */
  readonly values: Readonly<Record<string, string>>
  /** By where they come from: "" for the files of COPY and ADD, "/target" for a mount. */
  readonly files: Readonly<Record<string, StepFiles>>
}

interface StepFiles {
  readonly digest: string
  /** Path → digest, where there are not too many. */
  readonly entries?: Readonly<Record<string, string>> | undefined
}

/** What of the request acts on commands. */
export interface CommandSurroundings {
  readonly network: string
  readonly extraHosts: readonly { readonly host: string; readonly address: string }[]
}

const keyVersion = 1

/** sha256, hex. */
export function keyOf({ below, values, files }: StepInputs): string {
  const digests = Object.fromEntries(Object.entries(files).map(([place, { digest }]) => [place, digest]))
  return stableHash({ version: keyVersion, below, values, digests })
}

export function stepFiles({ digest, entries }: FilesDigest): StepFiles {
  return { digest, ...(entries && { entries: Object.fromEntries(entries) }) }
}

/** @param files by mount target. */
export function runInputs(
  step: RunStep,
  below: string,
  files: StepInputs['files'],
  { network, extraHosts }: CommandSurroundings,
): StepInputs {
  const values: Record<string, string> = {
    command: JSON.stringify(step.args),
    'working directory': step.cwd,
    user: step.user,
    network: step.network === 'default' ? network : step.network,
    security: step.security,
    'extra hosts': extraHosts.map(({ host, address }) => `${host}=${address}`).join(', '),
  }
  for (const entry of step.env) {
    const at = entry.indexOf('=')
    const name = entry.slice(0, at)
    values[`${step.buildArgs.has(name) ? 'ARG' : 'ENV'} ${name}`] = entry.slice(at + 1)
  }
  for (const mount of step.mounts) values[`mount ${targetOf(mount)}`] = mountText(mount)
  return { text: textOf(step), below, values, files }
}

/** Where a mount is seen: its path, or the variable that holds it. */
export function targetOf(mount: RunMount): string {
  return mount.kind === 'secret' ? (mount.target ?? `$${mount.variable}`) : mount.target
}

/** What a command sees of a mount, but for the files in it: nothing of a secret's or a cache's content. */
function mountText(mount: RunMount): string {
  switch (mount.kind) {
    case 'bind':
      return `bind ${mount.source}${mount.writable ? ' rw' : ''}`
    case 'cache':
      return `cache ${mount.id}`
    case 'tmpfs':
      return 'tmpfs'
    case 'files':
      return mount.files.map(({ name, content }) => `${name}\n${content}`).join('\n')
    case 'secret':
      return `secret ${mount.id} ${mount.variable ?? ''}`
    case 'ssh':
      return `ssh ${mount.id}`
    default:
      return mount satisfies never
  }
}

export function copyInputs(step: CopyStep | AddStep, below: string, files: FilesDigest): StepInputs {
  const sources = step.kind === 'copy' ? step.sources : step.sources.map(source => JSON.stringify(source))
  const values: Record<string, string> = {
    instruction: step.kind,
    destination: step.destination,
    sources: sources.join(' '),
    chown: step.chown ?? '',
    chmod: step.chmod ?? '',
    exclude: step.exclude.join(' '),
    parents: String(step.kind === 'copy' && step.parents),
    unpack: step.kind === 'add' ? String(step.unpack ?? '') : '',
  }
  for (const { name, content } of step.heredocs) values[`file ${name}`] = content
  return { text: textOf(step), below, values, files: { '': stepFiles(files) } }
}

export function workdirInputs(step: WorkdirStep, below: string): StepInputs {
  const { path, user } = step
  return { text: textOf(step), below, values: { folder: path, user }, files: {} }
}

/** Stages that have to be there before a step can be looked up. */
export function inputsOf(step: Step): readonly Input[] {
  if (step.kind === 'copy') return [step.from]
  if (step.kind !== 'run') return []
  return step.mounts.flatMap(mount => (mount.kind === 'bind' || mount.kind === 'cache' ? [mount.from] : []))
}
