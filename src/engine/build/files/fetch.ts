/** What ADD takes from elsewhere: a file of a web server, or a commit of a git repository. */
import { isFailure } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { ArchiveLimits } from '../../images/unpack-limits.ts'
import type { Fetched } from '../copy-request.ts'
import type { AddSource } from '../dockerfile/plan.ts'
import type { BuildClient } from '../request.ts'
import type { Downloads } from './downloads.ts'
import { fetchGit, type GitSource } from './git-fetch.ts'
import type { ProxySettings } from './http-get.ts'

export interface FetchOptions {
  /** Empty, and goes with the step. */
  readonly folder: HostPath
  readonly downloads: Downloads
  /** Of an archive that is a context. */
  readonly limits?: Partial<ArchiveLimits> | undefined
  /** HTTP_PROXY and its kin, as build arguments. */
  readonly args: ReadonlyMap<string, string>
  /** Its secrets GIT_AUTH_TOKEN and GIT_AUTH_HEADER open a repository, its ssh agent another. */
  readonly client: Pick<BuildClient, 'secret' | 'ssh'>
  readonly signal: AbortSignal
}

/** Undefined for a path, which is in the context. */
export async function fetchSource(source: AddSource, options: FetchOptions): Promise<Fetched | undefined> {
  const { folder, downloads, signal } = options
  const proxy = proxyOf(options.args)
  if (source.kind === 'http')
    return await downloads.get(source.url, { folder, checksum: source.checksum, proxy, signal })
  if (source.kind !== 'git') return undefined
  const authorization = await authorizationOf(source, options.client)
  await using agent = isSsh(source) ? await options.client.ssh('default') : undefined
  return await fetchGit(source, folder, { proxy, authorization, sshAgent: agent?.path, signal })
}

export function proxyOf(args: ReadonlyMap<string, string>): ProxySettings {
  const value = (name: string) => args.get(name) ?? args.get(name.toLowerCase())
  return { http: value('HTTP_PROXY'), https: value('HTTPS_PROXY'), no: value('NO_PROXY') }
}

/** A token by the user name that the large hosts take, or a header as it is; one for this host before one for any. */
async function authorizationOf(
  { remote }: GitSource,
  client: Pick<BuildClient, 'secret'>,
): Promise<{ readonly origin: string; readonly value: string } | undefined> {
  const url = URL.parse(remote)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  const origin = `${url.origin}/`
  for (const end of [`.${url.host}`, '']) {
    const header = await secretOf(client, `GIT_AUTH_HEADER${end}`)
    if (header !== undefined) return { origin, value: header }
    const token = await secretOf(client, `GIT_AUTH_TOKEN${end}`)
    if (token === undefined) continue
    return { origin, value: `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}` }
  }
  return undefined
}

async function secretOf(client: Pick<BuildClient, 'secret'>, id: string): Promise<string | undefined> {
  try {
    return (await client.secret(id)).toString('utf8').trim()
  } catch (error) {
    if (isFailure(error, 'not-found')) return undefined
    throw error
  }
}

function isSsh({ remote }: GitSource): boolean {
  return remote.startsWith('ssh://') || !/^[a-z]+:\/\//i.test(remote)
}
