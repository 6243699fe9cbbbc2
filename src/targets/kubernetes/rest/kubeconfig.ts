/** Which cluster, as whom and in which namespace: kubeconfig files, as kubectl reads them. Credentials stay in what this returns. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { errnoOf, Failure, messageOf } from '../../../lib/failure.ts'

export interface ClusterAccess {
  /** Without a slash at its end. */
  readonly server: string
  readonly context: string
  readonly namespace: string
  readonly tls: {
    readonly ca?: Buffer | undefined
    readonly servername?: string | undefined
    readonly rejectUnauthorized: boolean
  }
  readonly user: UserAccess
}

export type UserAccess =
  | { readonly kind: 'fixed'; readonly credentials: Credentials }
  | { readonly kind: 'exec'; readonly plugin: ExecPlugin }

export interface Credentials {
  readonly token?: string | undefined
  readonly cert?: Buffer | undefined
  readonly key?: Buffer | undefined
  readonly basic?: { readonly username: string; readonly password: string } | undefined
}

/** A program that tells credentials (client.authentication.k8s.io). */
export interface ExecPlugin {
  readonly apiVersion: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly installHint?: string | undefined
  /** Where a relative path starts from. */
  readonly folder: string
  /** The cluster, told to those that ask for it. */
  readonly cluster?: Readonly<Record<string, unknown>> | undefined
}

export interface AccessOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Undefined: the current one. */
  readonly context?: string | undefined
  /** Undefined: that of the context, otherwise "default". */
  readonly namespace?: string | undefined
}

type Members = Readonly<Record<string, unknown>>

/** An entry of a list, and the folder of its file. */
interface Entry {
  readonly folder: string
  readonly value: Members
}

/** @throws Failure when there is no such file or context, or it asks for what is not done here */
export function clusterAccess({ env, context: asked, namespace }: AccessOptions): ClusterAccess {
  const files = filesOf(env)
  const documents = files.flatMap(file => read(file) ?? [])
  if (documents.length === 0)
    throw new Failure('not-found', `Cannot use the target kubernetes: there is no ${files.join(', ')}`, {
      hint: 'Name a kubeconfig by KUBECONFIG',
    })
  const context = asked ?? documents.map(({ value }) => text(value['current-context'])).find(each => each !== undefined)
  if (context === undefined)
    throw new Failure('invalid', `Cannot use the target kubernetes: ${files.join(', ')} names no current context`, {
      hint: 'Name one with --context',
    })
  const named = (list: 'contexts' | 'clusters' | 'users', one: 'context' | 'cluster' | 'user', name: string): Entry => {
    for (const { folder, value } of documents)
      for (const each of listOf(value[list])) if (text(each['name']) === name) return { folder, value: map(each[one]) }
    throw new Failure('not-found', `Cannot use the target kubernetes: ${files.join(', ')} has no ${one} "${name}"`, {
      hint: `There are ${documents.flatMap(({ value }) => listOf(value[list]).map(each => text(each['name']))).join(', ')}`,
    })
  }
  const chosen = named('contexts', 'context', context).value
  const cluster = named('clusters', 'cluster', text(chosen['cluster']) ?? '')
  const userName = text(chosen['user'])
  const user = userName === undefined ? { folder: '', value: {} } : named('users', 'user', userName)
  const server = text(cluster.value['server'])
  if (server === undefined || !/^https?:\/\//.test(server))
    throw new Failure('invalid', `Cannot use context "${context}": its cluster has no server`)
  if (cluster.value['proxy-url'] !== undefined)
    throw new Failure(
      'unsupported',
      `Cannot use context "${context}": its cluster has a proxy-url, which is not used here`,
    )
  return {
    server: server.replace(/\/+$/, ''),
    context,
    namespace: namespace ?? text(chosen['namespace']) ?? 'default',
    tls: {
      ca: dataOf(cluster, 'certificate-authority'),
      servername: text(cluster.value['tls-server-name']),
      rejectUnauthorized: cluster.value['insecure-skip-tls-verify'] !== true,
    },
    user: userOf(user, cluster),
  }
}

/** Those of KUBECONFIG, the first of which counts most. */
function filesOf(env: AccessOptions['env']): readonly string[] {
  const given = (env['KUBECONFIG'] ?? '').split(':').filter(file => file !== '')
  return given.length > 0 ? given : [join(env['HOME'] ?? homedir(), '.kube', 'config')]
}

function read(file: string): Entry | undefined {
  const content = contentOf(file, { optional: true })
  if (content === undefined) return undefined
  try {
    return { folder: dirname(resolve(file)), value: map(parse(content.toString())) }
  } catch {
    // the parser shows the line that it stumbles over, in which a secret may stand
    throw new Failure('invalid', `Cannot read kubeconfig "${file}": it is no YAML`)
  }
}

/** @throws Failure when it cannot be read; undefined for one that is not there and need not be */
function contentOf(file: string, { optional = false } = {}): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch (error) {
    const code = errnoOf(error)
    if (code === undefined) throw error
    if (optional && code === 'ENOENT') return undefined
    throw new Failure('invalid', `Cannot read "${file}" of a kubeconfig: ${messageOf(error)}`, { cause: error })
  }
}

function userOf(entry: Entry, cluster: Entry): UserAccess {
  const { value } = entry
  const exec = value['exec']
  if (exec !== undefined && exec !== null) return { kind: 'exec', plugin: pluginOf(map(exec), entry, cluster) }
  if (value['auth-provider'] !== undefined)
    throw new Failure('unsupported', 'Cannot use an auth-provider of a kubeconfig: kubectl has given them up', {
      hint: 'Use an exec plugin',
    })
  const tokenFile = text(value['tokenFile'])
  const username = text(value['username'])
  return {
    kind: 'fixed',
    credentials: {
      token: text(value['token']) ?? (tokenFile && contentOf(resolve(entry.folder, tokenFile))?.toString().trim()),
      cert: dataOf(entry, 'client-certificate'),
      key: dataOf(entry, 'client-key'),
      basic: username === undefined ? undefined : { username, password: text(value['password']) ?? '' },
    },
  }
}

function pluginOf(exec: Members, { folder }: Entry, cluster: Entry): ExecPlugin {
  const command = text(exec['command'])
  const apiVersion = text(exec['apiVersion'])
  if (command === undefined || apiVersion === undefined)
    throw new Failure('invalid', 'Cannot use the exec plugin of a kubeconfig: it needs "command" and "apiVersion"')
  const args = Array.isArray(exec['args']) ? exec['args'].map(String) : []
  const env = listOf(exec['env']).map(each => [text(each['name']) ?? '', text(each['value']) ?? ''])
  const told = {
    server: cluster.value['server'],
    'certificate-authority-data': dataOf(cluster, 'certificate-authority')?.toString('base64'),
  }
  return {
    apiVersion,
    command,
    args,
    env: Object.fromEntries(env),
    installHint: text(exec['installHint']),
    folder,
    cluster: exec['provideClusterInfo'] === true ? told : undefined,
  }
}

/** "client-key-data", base64, otherwise the file "client-key". */
function dataOf({ folder, value }: Entry, key: string): Buffer | undefined {
  const data = text(value[`${key}-data`])
  if (data !== undefined) return Buffer.from(data, 'base64')
  const file = text(value[key])
  return file === undefined ? undefined : contentOf(resolve(folder, file))
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function map(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}
}

function listOf(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.map(map) : []
}
