/** `build` of a service → what a builder is asked for, in the words of BuildKit's Dockerfile frontend. */
import { isAbsolute, join, posix, resolve } from 'node:path'
import type { Build } from '../../../model/build.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import { composeVersion, labels } from '../labels.ts'
import { imageName } from './names.ts'

/** One image to build. It names secrets and where they are, and is never printed whole. */
export interface BuildOrder {
  /** The image first, then its further tags, as written. */
  readonly names: readonly string[]
  /** "target", "build-arg:V", "context:base": the options of the frontend dockerfile.v0. */
  readonly attributes: Readonly<Record<string, string>>
  /** Folders the builder may ask for by name; absolute. */
  readonly folders: Readonly<Record<string, string>>
  /** Where the Dockerfile is: undefined when it is part of a remote context. */
  readonly dockerfile: DockerfileSource | undefined
  readonly secrets: readonly BuildSecret[]
  readonly ssh: Build['ssh']
  /** "network.host", "security.insecure". */
  readonly entitlements: readonly string[]
  readonly cacheFrom: readonly CachePlace[]
  readonly cacheTo: readonly CachePlace[]
}

export type DockerfileSource =
  /** Of this machine; absolute. */
  { readonly kind: 'file'; readonly file: string } | { readonly kind: 'text'; readonly text: string }

export interface BuildSecret {
  readonly id: string
  readonly source:
    | { readonly kind: 'file'; readonly file: string }
    /** Of a variable, when it has a name. */
    | { readonly kind: 'value'; readonly value: string; readonly variable?: string }
    /** Nobody has it: an error when a step wants it. */
    | { readonly kind: 'none' }
}

/** `type=registry,ref=shop/cache`. */
export interface CachePlace {
  readonly type: string
  readonly attributes: Readonly<Record<string, string>>
}

/** What a command line says of all builds, beyond what the stack says of each. */
export interface BuildFlags {
  readonly args?: Readonly<Record<string, string>>
  readonly noCache?: boolean
  readonly pull?: boolean
  readonly ssh?: Build['ssh']
  readonly provenance?: string | undefined
  readonly sbom?: string | undefined
}

/** The name by which the frontend asks for a Dockerfile's folder, and for the context. */
export const dockerfileFolder = 'dockerfile'
export const contextFolder = 'context'

export function buildOrder(project: Project, service: Service, build: Build, flags: BuildFlags = {}): BuildOrder {
  const remote = isRemoteContext(build.context)
  const dockerfile = dockerfileOf(build)
  const folders: Record<string, string> = Object.create(null)
  if (!remote) folders[contextFolder] = build.context
  const attributes: Record<string, string> = {
    filename: dockerfile === undefined ? (build.dockerfile ?? 'Dockerfile') : fileName(dockerfile),
  }
  if (remote) {
    attributes['context'] = build.context
    // the frontend would look for it in the remote context
    if (dockerfile !== undefined) attributes['dockerfilekey'] = dockerfileFolder
  }
  for (const [name, context] of Object.entries(build.additionalContexts))
    attributes[`context:${name}`] = contextOf(project, { name, context, folders })
  for (const [name, value] of Object.entries({ ...build.args, ...flags.args }))
    if (value !== null) attributes[`build-arg:${name}`] = value
  for (const [name, value] of Object.entries(buildLabels(project, service, build))) attributes[`label:${name}`] = value
  const noCache = flags.noCache || build.noCache ? '' : build.noCacheFilter.join(',')
  Object.assign(
    attributes,
    given('target', build.target),
    given('platform', platformOf(service, build)),
    given('image-resolve-mode', flags.pull || build.pull ? 'pull' : undefined),
    given('force-network-mode', build.network === 'default' || build.network === '' ? undefined : build.network),
    given('add-hosts', hostsOf(build)),
    given('shm-size', build.shmSize === undefined ? undefined : String(build.shmSize)),
    given('ulimit', build.ulimits.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`).join(',') || undefined),
    given('no-cache', flags.noCache || build.noCache || noCache !== '' ? noCache : undefined),
    given('attest:provenance', attestation(flags.provenance ?? build.provenance, 'provenance')),
    given('attest:sbom', attestation(flags.sbom ?? build.sbom, 'sbom')),
  )
  return {
    names: [...new Set([imageName(project, service)!, ...build.tags])],
    attributes,
    folders,
    dockerfile,
    secrets: build.secrets.map(({ source, target }) => ({ id: target, source: secretSource(project, source) })),
    ssh: flags.ssh && flags.ssh.length > 0 ? mergedById(build.ssh, flags.ssh) : build.ssh,
    entitlements: entitlementsOf(build),
    cacheFrom: build.cacheFrom.map(text => cachePlace(project, text)),
    cacheTo: build.cacheTo.map(text => cachePlace(project, text)),
  }
}

/** Those of the stack, and Compose's own, by which its tools find what they built. */
export function buildLabels(project: Project, service: Service, build: Build): Readonly<Record<string, string>> {
  return {
    ...build.labels,
    [labels.project]: project.name,
    [labels.service]: service.name,
    [labels.version]: composeVersion,
  }
}

/** Before the folder of an OCI layout, perhaps with ":tag" or "@digest" behind it. */
export const layoutScheme = 'oci-layout://'

/** Git and other addresses, which the builder fetches itself. */
export function isRemoteContext(context: string): boolean {
  return context.includes('://') || context.startsWith('github.com/') || context.startsWith('git@')
}

/** Services from which a service is built, by `service:x` of its additional contexts. */
export function contextServices(build: Build): readonly string[] {
  return Object.values(build.additionalContexts).flatMap(context => serviceOf(context) ?? [])
}

function serviceOf(context: string): string | undefined {
  return context.startsWith('service:') ? context.slice('service:'.length) : undefined
}

/** Undefined: in the remote context. */
export function dockerfileOf(build: Build): DockerfileSource | undefined {
  if (build.dockerfileInline !== undefined) return { kind: 'text', text: build.dockerfileInline }
  if (isRemoteContext(build.context)) return undefined
  const path = build.dockerfile ?? 'Dockerfile'
  return { kind: 'file', file: isAbsolute(path) ? path : join(build.context, path) }
}

function fileName(dockerfile: DockerfileSource): string {
  return dockerfile.kind === 'file' ? posix.basename(dockerfile.file) : 'Dockerfile'
}

interface NamedContext {
  readonly name: string
  readonly context: string
  readonly folders: Record<string, string>
}

/** Folders get a name of their own, others are told as they are. */
function contextOf(project: Project, { name, context, folders }: NamedContext): string {
  const service = serviceOf(context)
  if (service !== undefined) {
    const other = project.services[service] ?? project.disabledServices[service]
    return `docker-image://${(other && imageName(project, other)) ?? service}`
  }
  if (context.startsWith(layoutScheme))
    return layoutScheme + resolve(project.directory, context.slice(layoutScheme.length))
  if (isRemoteContext(context)) return context
  // two names are taken
  const local = name === contextFolder || name === dockerfileFolder ? `_${name}` : name
  folders[local] = context
  return `local:${local}`
}

/** One that is made here; of several the service's own, or else the builder's. */
function platformOf(service: Service, build: Build): string | undefined {
  if (build.platforms.length === 1) return build.platforms[0]
  return service.platform
}

/** "host=address" separated by commas; an IPv6 address in brackets loses them. */
function hostsOf(build: Build): string | undefined {
  const hosts = build.extraHosts.map(({ host, address }) => `${host}=${address.replace(/^\[(.*)\]$/, '$1')}`)
  return hosts.join(',') || undefined
}

function entitlementsOf(build: Build): readonly string[] {
  const found = new Set(build.entitlements)
  if (build.network === 'host') found.add('network.host')
  if (build.privileged) found.add('security.insecure')
  return [...found].sort()
}

function secretSource(project: Project, key: string): BuildSecret['source'] {
  const source = project.secrets[key]?.source
  switch (source?.kind) {
    case 'file':
      return { kind: 'file', file: source.file }
    case 'environment':
      return source.value === undefined
        ? { kind: 'none' }
        : { kind: 'value', value: source.value, variable: source.variable }
    case 'content':
      return { kind: 'value', value: source.content }
    default:
      return { kind: 'none' }
  }
}

function mergedById(ours: Build['ssh'], theirs: Build['ssh']): Build['ssh'] {
  return [...ours.filter(each => !theirs.some(({ id }) => id === each.id)), ...theirs]
}

/** "true" is the attestation without options; "false" is none. */
function attestation(value: string | undefined, kind: 'provenance' | 'sbom'): string | undefined {
  if (value === undefined || value === 'false' || value === '') return undefined
  if (value === 'true') return kind === 'provenance' ? 'mode=min' : ''
  return value
}

/** "shop/cache:1" is a registry's; folders are those of the stack, like its other paths. */
function cachePlace(project: Project, text: string): CachePlace {
  if (!text.includes('=')) return { type: 'registry', attributes: { ref: text } }
  const pairs = text.split(',').map(each => {
    const at = each.indexOf('=')
    if (at < 0) return [each.trim(), ''] as const
    const [name, value] = [each.slice(0, at).trim(), each.slice(at + 1)]
    return [name, name === 'src' || name === 'dest' ? resolve(project.directory, value) : value] as const
  })
  const { type = 'registry', ...attributes } = Object.fromEntries(pairs)
  return { type, attributes }
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value }
}
