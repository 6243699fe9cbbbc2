/** Addresses of ADD that git fetches: "https://host/repo.git#ref:folder", "git@host:repo.git?tag=v1". */
import { invalid } from '../../dockerfile/source-failure.ts'
import { goQuote } from '../../dockerfile/text.ts'

export interface GitAddress {
  readonly remote: string
  readonly ref: string | undefined
  readonly subdir: string | undefined
  readonly checksum: string | undefined
  readonly keepGitDir: boolean | undefined
  readonly submodules: boolean | undefined
}

interface Parts {
  readonly remote: string
  /** Where the repository is on its host. */
  readonly path: string
  readonly scheme: string
  readonly query: URLSearchParams
  readonly fragment: string
}

/** Undefined for what is no repository: a path, or a file of a web server. @throws Failure `invalid` for a query that makes no sense. */
export function parseGitAddress(text: string): GitAddress | undefined {
  const parts = urlParts(text) ?? scpParts(text)
  if (!parts) return undefined
  if (parts.scheme.startsWith('http') && !parts.path.endsWith('.git')) return undefined
  const colon = parts.fragment.indexOf(':')
  const ref = colon < 0 ? parts.fragment : parts.fragment.slice(0, colon)
  const subdir = colon < 0 ? '' : parts.fragment.slice(colon + 1)
  return withQuery(parts, ref, subdir)
}

function urlParts(text: string): Parts | undefined {
  const scheme = /^([a-zA-Z0-9]+):\/\//.exec(text)?.[1]?.toLowerCase()
  if (!scheme || !['http', 'https', 'ssh', 'git'].includes(scheme)) return undefined
  const [, address, query, fragment] = /^([^?#]*)(?:\?([^#]*))?(?:#([\s\S]*))?$/.exec(text) ?? []
  if (address === undefined) return undefined
  const path = /^[^/]*\/\/[^/]*(\/[\s\S]*)?$/.exec(address)?.[1] ?? ''
  return {
    remote: scheme + address.slice(scheme.length),
    path,
    scheme,
    query: new URLSearchParams(query ?? ''),
    fragment: decoded(fragment ?? ''),
  }
}

/** "user@host:path", which ssh takes. */
function scpParts(text: string): Parts | undefined {
  const match = /^([a-zA-Z0-9\-_]+@[a-zA-Z0-9\-.]+:([^?#]+))(?:\?([^#]*))?(?:#([\s\S]*))?$/.exec(text)
  if (!match) return undefined
  const [, remote, path, query, fragment] = match
  return {
    remote: remote!,
    path: path!,
    scheme: 'ssh',
    query: new URLSearchParams(query ?? ''),
    fragment: fragment ?? '',
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // a per cent sign that stands for itself
    return text
  }
}

function withQuery({ remote, query }: Parts, fragmentRef: string, fragmentSubdir: string): GitAddress {
  let [ref, subdir] = [fragmentRef, fragmentSubdir]
  let checksum: string | undefined
  const flags = new Map<string, boolean>()
  const names: { tag?: string; branch?: string } = {}
  for (const key of new Set(query.keys())) {
    const [value = '', ...more] = query.getAll(key)
    const isFlag = key === 'submodules' || key === 'keep-git-dir'
    if (more.length > 0) throw invalid(`query ${goQuote(key)} has multiple values`)
    if (value === '' && !isFlag) throw invalid(`query ${goQuote(key)} has no value`)
    if (isFlag) flags.set(key, truth(key, value))
    else if (key === 'ref') ref = same('ref', ref, value)
    else if (key === 'subdir') subdir = same('subdir', subdir, value)
    else if (key === 'checksum' || key === 'commit') checksum = value
    else if (key === 'tag' || key === 'branch') names[key] = value
    else throw invalid(`unexpected query ${goQuote(key)}`)
  }
  if (names.tag !== undefined) ref = same('ref', ref, prefixed('refs/tags/', names.tag))
  if (names.branch !== undefined) {
    if (names.tag !== undefined) throw invalid('branch conflicts with tag')
    ref = same('ref', ref, prefixed('refs/heads/', names.branch))
  }
  return {
    remote,
    ref: ref || undefined,
    subdir: subdir || undefined,
    checksum,
    keepGitDir: flags.get('keep-git-dir'),
    submodules: flags.get('submodules'),
  }
}

const prefixed = (prefix: string, name: string): string => (name.startsWith(prefix) ? name : prefix + name)

function same(what: string, before: string, value: string): string {
  if (before !== '' && before !== value) throw invalid(`${what} conflicts: ${goQuote(before)} vs ${goQuote(value)}`)
  return value
}

function truth(key: string, value: string): boolean {
  if (value === '' || /^(?:1|t|T|TRUE|true|True)$/.test(value)) return true
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false
  throw invalid(`invalid ${key} value: ${goQuote(value)}`)
}
