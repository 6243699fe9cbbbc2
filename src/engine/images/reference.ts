/** Image names to their full form, as Docker's distribution grammar does: "busybox" is docker.io/library/busybox:latest. */
import { Failure, isFailure } from '../../lib/failure.ts'
import { type Digest, isDigest } from './digest.ts'

/** The registry a name without a domain belongs to, part of the grammar of references. */
const defaultDomain = 'docker.io'
const officialPrefix = 'library/'

export interface Reference {
  /** "docker.io", "127.0.0.1:5000". */
  readonly domain: string
  /** Below the domain: "library/busybox". */
  readonly path: string
  /** Undefined when there is a digest and no tag. */
  readonly tag: string | undefined
  readonly digest: Digest | undefined
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const domainPart = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const pathPattern = new RegExp(`^${component}(?:/${component})*$`)
const domainPattern = new RegExp(`^(?:${domainPart}(?:\\.${domainPart})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?$`)
const tagPattern = /^[A-Za-z0-9_][\w.-]{0,127}$/

/**
 * Parses and completes a name; the tag is `latest` when neither tag nor digest is given.
 * @throws Failure `invalid` with Docker's texts.
 */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw new Failure('invalid', `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  }
  const { name, tag, digest } = split(text)
  const { domain, path } = splitDomain(name)
  if (path !== path.toLowerCase()) {
    throw new Failure('invalid', `invalid reference format: repository name (${path}) must be lowercase`)
  }
  if (!domainPattern.test(domain) || !pathPattern.test(path)) throw new Failure('invalid', 'invalid reference format')
  if (tag !== undefined && !tagPattern.test(tag)) throw new Failure('invalid', 'invalid reference format')
  if (digest !== undefined && !isDigest(digest)) throw new Failure('invalid', 'invalid reference format')
  // 255 is what the protocol's grammar allows for the name, and file systems for a component of ours
  if (path.length > 255) throw new Failure('invalid', 'repository name must not be more than 255 characters')
  return { domain, path, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest }
}

/** "busybox" of a name that has neither tag nor digest; undefined for one that has, or is none. */
export function repositoryName(text: string): string | undefined {
  const { tag, digest } = split(text)
  if (tag !== undefined || digest !== undefined || !isReference(text)) return undefined
  return familiarName(parseReference(text))
}

/** As it is shown, complete; an id stays as it is. */
export function normalName(text: string): string {
  return isReference(text) ? familiar(parseReference(text)) : text
}

function isReference(text: string): boolean {
  try {
    parseReference(text)
    return true
  } catch (error) {
    if (isFailure(error, 'invalid')) return false
    throw error
  }
}

/**
 * The name an image is to get, from the API's `repo` and `tag`; undefined when there is no repo.
 * @throws Failure `invalid` with Docker's texts.
 */
export function newName(repo: string | undefined, tag: string | undefined): string | undefined {
  if (!repo) return undefined
  const reference = parseReference(repo)
  if (reference.digest !== undefined) throw new Failure('invalid', 'cannot import digest reference')
  if (tag && !tagPattern.test(tag)) throw new Failure('invalid', 'invalid tag format')
  const named = { ...reference, tag: tag || reference.tag }
  if (familiarName(named) === 'sha256')
    throw new Failure('invalid', 'refusing to create an ambiguous tag using digest algorithm as name')
  return familiar(named)
}

function split(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  const rest = at < 0 ? text : text.slice(0, at)
  // a colon before the last slash belongs to the registry's port
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1)
  return colon < 0
    ? { name: rest, tag: undefined, digest }
    : { name: rest.slice(0, colon), tag: rest.slice(colon + 1), digest }
}

/** The first component is a registry when it could be a host: a dot, a port, `localhost`, or an upper-case letter. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isDomain = first !== '' && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  let domain = isDomain ? first : defaultDomain
  let path = isDomain ? name.slice(slash + 1) : name
  if (domain === `index.${defaultDomain}`) domain = defaultDomain
  if (domain === defaultDomain && !path.includes('/')) path = officialPrefix + path
  return { domain, path }
}

/** The name as people write it, without tag: "busybox", "127.0.0.1:5000/app". */
export function familiarName(reference: Reference): string {
  if (reference.domain !== defaultDomain) return `${reference.domain}/${reference.path}`
  return reference.path.startsWith(officialPrefix) ? reference.path.slice(officialPrefix.length) : reference.path
}

/** "busybox:latest", "app@sha256:…". */
export function familiar(reference: Reference): string {
  return familiarName(reference) + suffix(reference)
}

/** "docker.io/library/busybox:latest": by these names Docker sorts. */
export function fullName(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`)
}
