/** The labels by which a project's parts are found: Docker Compose's keys, so that its tools see ours, and one of our own. */

import { conditions, type Dependency } from '../../model/dependency.ts'
import type { Project } from '../../model/project.ts'
import type { Service } from '../../model/service.ts'
import type { Fields } from './plan/fields.ts'

export const labels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  number: 'com.docker.compose.container-number',
  oneOff: 'com.docker.compose.oneoff',
  slug: 'com.docker.compose.slug',
  version: 'com.docker.compose.version',
  configHash: 'com.docker.compose.config-hash',
  image: 'com.docker.compose.image',
  dependsOn: 'com.docker.compose.depends_on',
  directory: 'com.docker.compose.project.working_dir',
  files: 'com.docker.compose.project.config_files',
  /** Of an init container: pre_start. */
  hook: 'com.docker.compose.hook',
  /** Of a run of a job, which goes with its stack. */
  job: 'tscompose.job',
  replace: 'com.docker.compose.replace',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
  /** Field → short hash as JSON: names what changed without storing any value. */
  fields: 'tscompose.fields',
} as const

/** The Compose whose commands, options and output are held; programs compare with the number. */
export const composeVersion = '2.40.3'

const conditionWords = {
  started: 'service_started',
  healthy: 'service_healthy',
  completed: 'service_completed_successfully',
} as const satisfies Record<Dependency['condition'], string>

/** The filter that finds what belongs to a project. */
export function projectFilter(name: string): { readonly label: readonly string[] } {
  return { label: [`${labels.project}=${name}`] }
}

export interface ContainerLabels {
  readonly project: Project
  readonly service: Service
  readonly number: number | undefined
  readonly configHash: string
  readonly fields: Fields
  /** For `run`: 64 hex digits. */
  readonly slug?: string
}

const versionLabel = { [labels.version]: composeVersion }

export function containerLabels(options: ContainerLabels): Record<string, string> {
  const { project, service, number, slug } = options
  return {
    ...service.labels,
    [labels.project]: project.name,
    [labels.service]: service.name,
    ...(number === undefined ? {} : { [labels.number]: String(number) }),
    [labels.oneOff]: slug === undefined ? 'False' : 'True',
    ...(slug === undefined ? {} : { [labels.slug]: slug }),
    [labels.configHash]: options.configHash,
    [labels.dependsOn]: formatDependencies(service),
    [labels.directory]: project.directory,
    [labels.files]: project.files.join(','),
    ...versionLabel,
    [labels.fields]: JSON.stringify(options.fields),
  }
}

export function networkLabels(project: string, key: string, hash: string): Record<string, string> {
  return { [labels.project]: project, [labels.network]: key, [labels.configHash]: hash, ...versionLabel }
}

export function volumeLabels(project: string, key: string, hash: string): Record<string, string> {
  return { [labels.project]: project, [labels.volume]: key, [labels.configHash]: hash, ...versionLabel }
}

function formatDependencies(service: Service): string {
  return Object.values(service.dependsOn)
    .map(d => `${d.service}:${conditionWords[d.condition]}:${d.restart}`)
    .sort()
    .join(',')
}

/** What a container was made to depend on, for plans without a stack file: "db:service_healthy:true". A word nobody knows says nothing. */
export function parseDependencies(label: string | undefined): readonly Dependency[] {
  return (label ?? '').split(',').flatMap(part => {
    const [service = '', word, restart] = part.split(':')
    const condition = conditions.find(each => conditionWords[each] === word) ?? 'started'
    return service === '' ? [] : [{ service, condition, required: true, restart: restart === 'true' }]
  })
}

/** The field hashes a container was made with; undefined when it was not made by us. */
export function parseFields(label: string | undefined): Fields | undefined {
  if (label === undefined) return undefined
  let data: unknown
  try {
    data = JSON.parse(label)
  } catch {
    // somebody else's label of that name: then nothing is known about its fields
    return undefined
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined
  const entries = Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(entries))
}
