/** FrontendAttrs, the options of BuildKit's Dockerfile frontend → what is built. Those that change what is built and are not known are refused by name. */
import { Failure } from '../../lib/failure.ts'
import type { RlimitSpec } from '../../runtime/spec.ts'
import type { BuildRequest, CacheLocation, NamedContext } from '../build/request.ts'
import { isDigest } from '../images/digest.ts'

export type FrontendOptions = Pick<
  BuildRequest,
  | 'dockerfile'
  | 'target'
  | 'args'
  | 'labels'
  | 'platform'
  | 'noCache'
  | 'pull'
  | 'network'
  | 'extraHosts'
  | 'shmSize'
  | 'ulimits'
  | 'cgroupParent'
  | 'cacheFrom'
  | 'namedContexts'
> & {
  /** Name of the folder with the Dockerfile, as the client knows it. */
  readonly dockerfileFolder: string
  readonly contextFolder: string
  /** An upload of the client's that is the context: its path. */
  readonly upload: string | undefined
  /** Folders → the session that has them, where it is not the build's own. */
  readonly sessions: ReadonlyMap<string, string>
  /** What is asked for instead of a build: "frontend.lint". */
  readonly subrequest: string | undefined
}

type Attributes = ReadonlyMap<string, string>

/** What an input of a frontend is: the result of another build of the same client. */
export type ResolveInput = (name: string) => NamedContext

const defaultName = 'Dockerfile'
const uploadPrefix = 'http://buildkit-session/'

/** @throws Failure `invalid` for a value that is none, `unsupported` for an option that is not known. */
export function readFrontendOptions(attributes: Attributes, input: ResolveInput): FrontendOptions {
  for (const key of attributes.keys()) checkKnown(key, attributes.get(key)!)
  const contextFolder = attributes.get('contextkey') ?? 'context'
  const remote = attributes.get(contextFolder)
  const upload = remote?.startsWith(uploadPrefix) ? remote.slice(uploadPrefix.length) : undefined
  const namedContexts = new Map<string, NamedContext>()
  for (const [name, value] of withPrefix(attributes, 'context:'))
    namedContexts.set(name.toLowerCase(), namedContext(name, value, input))
  if (remote !== undefined && upload === undefined) {
    namedContexts.set('context', { kind: 'remote', url: remote })
    if (attributes.has('dockerfilekey')) namedContexts.set('dockerfile', { kind: 'local', name: 'dockerfile' })
  }
  return {
    dockerfile: attributes.get('filename') || defaultName,
    dockerfileFolder: attributes.get('dockerfilekey') ?? (upload === undefined ? 'dockerfile' : contextFolder),
    contextFolder,
    upload,
    target: attributes.get('target') ?? '',
    args: withPrefix(attributes, 'build-arg:'),
    labels: withPrefix(attributes, 'label:'),
    platform: platformOf(attributes.get('platform')),
    noCache: noCacheOf(attributes.get('no-cache')),
    pull: pullOf(attributes.get('image-resolve-mode')),
    network: networkOf(attributes.get('force-network-mode')),
    extraHosts: extraHostsOf(attributes.get('add-hosts')),
    shmSize: numberOf('shm-size', attributes.get('shm-size')),
    ulimits: ulimitsOf(attributes.get('ulimit')),
    cgroupParent: attributes.get('cgroup-parent') || undefined,
    cacheFrom: cacheFromOf(attributes),
    namedContexts,
    sessions: withPrefix(attributes, 'local-sessionid:'),
    subrequest: attributes.get('requestid') || undefined,
  }
}

const known = new Set([
  ...['filename', 'contextkey', 'dockerfilekey', 'context', 'target', 'platform', 'no-cache', 'image-resolve-mode'],
  ...[
    'force-network-mode',
    'add-hosts',
    'shm-size',
    'ulimit',
    'cgroup-parent',
    'cache-imports',
    'cache-from',
    'requestid',
  ],
  // what of them has been asked for is what this engine does anyway: frontend's own, and sizes of an image that is told
  ...['frontend.caps', 'cmdline', 'source', 'multi-platform', 'hostname'],
])
const prefixes = ['build-arg:', 'label:', 'context:', 'local-sessionid:', 'input-metadata:', 'vcs:', 'attest:']

/** The caps of frontends that the built-in one has. */
const capabilities = new Set([
  'moby.buildkit.frontend.inputs',
  'moby.buildkit.frontend.subrequests',
  'moby.buildkit.frontend.contexts',
])

function checkKnown(key: string, value: string): void {
  if (key === 'frontend.caps') {
    const missing = value.split(',').find(cap => cap !== '' && !capabilities.has(cap.replace(/\+forward$/, '')))
    if (missing) throw new Failure('unsupported', `unsupported frontend capability ${missing}`)
  }
  if (key === 'multi-platform' && ['1', 't', 'true'].includes(value.toLowerCase()))
    throw new Failure('unsupported', 'Cannot build: an image of several platforms is not supported')
  if (key === 'hostname' && value !== '')
    throw new Failure('unsupported', 'Cannot build: a host name of steps is not supported')
  if (key.startsWith('attest:') && !isNothing(value))
    throw new Failure('unsupported', `Cannot build: attestations ("${key.slice(7)}") are not supported`)
  if (!known.has(key) && !prefixes.some(prefix => key.startsWith(prefix)))
    throw new Failure('unsupported', `Cannot build: option "${key}" is not known to this engine`)
}

/** `--provenance=false` arrives as an attestation that is disabled. */
function isNothing(value: string): boolean {
  return value.split(',').some(part => part === 'disabled=true') || value === 'false'
}

function withPrefix(attributes: Attributes, prefix: string): ReadonlyMap<string, string> {
  return new Map(
    [...attributes].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  )
}

function namedContext(name: string, value: string, input: ResolveInput): NamedContext {
  const colon = value.indexOf(':')
  const scheme = value.startsWith('git@') ? 'git' : value.slice(0, colon)
  const rest = value.slice(colon + 1)
  switch (colon < 0 ? '' : scheme) {
    case 'docker-image':
      return { kind: 'image', reference: rest.replace(/^\/\//, '') }
    case 'local':
      return { kind: 'local', name: rest }
    case 'input':
      return input(rest)
    case 'git':
    case 'http':
    case 'https':
    case 'ssh':
      return { kind: 'remote', url: value }
    case 'oci-layout':
      return layoutContext(name, rest)
    default:
      throw new Failure('invalid', `unsupported context source ${colon < 0 ? value : scheme} for ${name}`)
  }
}

/** "//STORE:TAG@DIGEST": the client has found the digest of the tag. */
function layoutContext(name: string, text: string): NamedContext {
  const [, store, digest] = /^\/\/([^@:/]+)(?::[^@/]*)?@(.*)$/.exec(text) ?? []
  if (store === undefined || digest === undefined || !isDigest(digest))
    throw new Failure('invalid', `invalid oci-layout reference "${text}" of context "${name}": it should have a digest`)
  return { kind: 'layout', store, digest }
}

function platformOf(value: string | undefined): string | undefined {
  if (!value) return undefined
  if (value.includes(','))
    throw new Failure('unsupported', `Cannot build for "${value}": an image of several platforms is not supported`)
  return value
}

function noCacheOf(value: string | undefined): boolean | readonly string[] {
  if (value === undefined) return false
  return value === '' ? true : value.split(',')
}

function pullOf(value: string | undefined): boolean {
  switch (value ?? '') {
    case '':
    case 'default':
    case 'local':
      return false
    case 'pull':
      return true
    default:
      throw new Failure('invalid', `invalid image-resolve-mode: ${value}`)
  }
}

function networkOf(value: string | undefined): 'default' | 'none' | 'host' {
  switch (value ?? '') {
    case '':
    case 'sandbox':
      return 'default'
    case 'none':
      return 'none'
    case 'host':
      return 'host'
    default:
      throw new Failure('invalid', `invalid netmode ${value}`)
  }
}

/** "db=10.0.0.1,cache=10.0.0.2", or quoted as CSV. */
function extraHostsOf(value: string | undefined): FrontendOptions['extraHosts'] {
  return csvFields(value).map(field => {
    const at = field.indexOf('=')
    if (at < 0) throw new Failure('invalid', `invalid key-value pair ${field}`)
    return { host: field.slice(0, at).toLowerCase(), address: field.slice(at + 1) }
  })
}

/** "nofile=1024:2048": soft and hard, -1 for none. */
function ulimitsOf(value: string | undefined): readonly RlimitSpec[] {
  return csvFields(value).map(field => {
    const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(field)
    if (!match) throw new Failure('invalid', `invalid ulimit argument: ${field}`)
    const soft = Number(match[2])
    return { name: match[1]!, soft, hard: match[3] === undefined ? soft : Number(match[3]) } as RlimitSpec
  })
}

function csvFields(value: string | undefined): readonly string[] {
  if (!value) return []
  return [...value.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}

function numberOf(key: string, value: string | undefined): number | undefined {
  if (!value) return undefined
  if (!/^\d{1,15}$/.test(value)) throw new Failure('invalid', `invalid ${key}: ${value}`)
  return Number(value) || undefined
}

function cacheFromOf(attributes: Attributes): readonly CacheLocation[] {
  const imports = attributes.get('cache-imports')
  const references = attributes.get('cache-from')?.split(',').filter(Boolean) ?? []
  const old = references.map(ref => ({ type: 'registry', attributes: new Map([['ref', ref]]) }))
  if (!imports) return old
  let entries: unknown
  try {
    entries = JSON.parse(imports)
  } catch (cause) {
    throw new Failure('invalid', 'failed to unmarshal cache-imports', { cause })
  }
  if (!Array.isArray(entries)) throw new Failure('invalid', 'failed to unmarshal cache-imports')
  return [
    ...entries.map((entry: { readonly Type?: unknown; readonly Attrs?: unknown }) => ({
      type: String(entry.Type ?? ''),
      attributes: new Map(Object.entries(entry.Attrs ?? {}).map(([key, value]) => [key, String(value)])),
    })),
    ...old,
  ]
}
