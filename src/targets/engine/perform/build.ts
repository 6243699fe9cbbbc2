/** Builds an image: the files, secrets and credentials that its order names are served to the builder while it works. */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { receiptKey } from '../../../api/build-receipts.ts'
import type { RegistryAuth } from '../../../api/images.ts'
import { imageEndpoints } from '../../../api/images.ts'
import { systemEndpoints } from '../../../api/system.ts'
import { buildKey, builtAgain, noteBuild } from '../../../client/buildkit/built-again.ts'
import type { BuildEvent } from '../../../client/buildkit/events.ts'
import { type LintWarning, lintWarnings } from '../../../client/buildkit/lint.ts'
import type { Asked, Credentials, Served, ServedFolder } from '../../../client/buildkit/served.ts'
import type { SshAgents } from '../../../client/buildkit/ssh-agent.ts'
import type { Client } from '../../../client/client.ts'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import { list } from '../../../lib/text.ts'
import type { Operation } from '../operation.ts'
import {
  type BuildOrder,
  type BuildSecret,
  type CachePlace,
  dockerfileFolder,
  layoutScheme,
} from '../plan/build-order.ts'
import type { RegistryAuthSource } from './pull.ts'

export type { LintWarning }

export interface BuildContext {
  readonly client: Client
  readonly signal: AbortSignal
  readonly onBuild: (event: BuildEvent) => void
  readonly onWarning: (text: string) => void
  readonly registryAuth?: RegistryAuthSource | undefined
  /** Where SSH_AUTH_SOCK is looked up. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** More than this is refused by builders, too. */
const maxSecret = 500 * 1024

/** The id of the image. @throws BuildFailure, Failure `not-found` for a context or Dockerfile that is not there */
export async function build(operation: Operation & { kind: 'build-image' }, context: BuildContext): Promise<string> {
  const { client, signal, onBuild: onEvent } = context
  const { order, name } = operation
  await check(order)
  const { names, entitlements, cacheFrom, cacheTo } = order
  const folders = servedFolders(order)
  const { attributes, layouts } = await attributesFor(operation, context)
  const key = buildKey([[...attributes], names, entitlements, cacheFrom, cacheTo, [...folders]])
  const again = await builtAgain(client, key, folders, { signal, onEvent })
  if (again !== undefined) return again
  // HTTP/2 and Protocol Buffers come with it
  const { solve } = await import('../../../client/buildkit/solve.ts')
  const asked: Asked[] = []
  const request = {
    attributes,
    names,
    entitlements,
    cacheFrom: cacheFrom.map(cacheOf),
    cacheTo: cacheTo.map(cacheOf),
    sharedKey: sharedKeyOf(order),
  }
  const answer = await withServed(order, context, served =>
    solve(
      client,
      { ...request, served: { ...served, layouts, onAsked: each => asked.push(each) } },
      { signal, onEvent },
    ),
  )
  const receipt = answer.get(receiptKey)
  const [image] = await Promise.all([
    client.call(imageEndpoints.imageInspect, { params: { name } }, { signal }),
    receipt && noteBuild(client, { key, receipt, asked }, signal),
  ])
  return image.Id
}

/** What the builder thinks of the Dockerfile, which it does not build. @throws As `build` */
export async function lint(
  operation: Operation & { kind: 'build-image' },
  context: BuildContext,
): Promise<readonly LintWarning[]> {
  const { order } = operation
  await check(order)
  const { attributes, layouts } = await attributesFor(operation, context)
  const request = { question: 'frontend.lint', attributes, sharedKey: sharedKeyOf(order) }
  const { ask } = await import('../../../client/buildkit/solve.ts')
  const answer = await withServed(order, context, served =>
    ask(
      context.client,
      { ...request, served: { ...served, layouts } },
      { signal: context.signal, onEvent: context.onBuild },
    ),
  )
  return lintWarnings(answer.get('result.json'))
}

const attestPrefix = 'attest:'

interface Attributes {
  readonly attributes: ReadonlyMap<string, string>
  readonly layouts: ReadonlyMap<string, string>
}

/** Our own engine refuses attestations, as it has nowhere to put them; a stack that asks for some is built without, and told so. */
async function attributesFor(
  { order, name }: Operation & { kind: 'build-image' },
  { client, signal, onWarning }: BuildContext,
): Promise<Attributes> {
  const { all, layouts } = await withLayouts(order)
  const asked = all.flatMap(([key]) => (key.startsWith(attestPrefix) ? [key.slice(attestPrefix.length)] : []))
  if (asked.length === 0) return { attributes: new Map(all), layouts }
  const { Platform } = await client.call(systemEndpoints.version, {}, { signal })
  if (Platform?.Name !== 'tscompose') return { attributes: new Map(all), layouts }
  onWarning(`Image "${name}" gets no attestation (${list(asked)}): this engine stores none`)
  return { attributes: new Map(all.filter(([key]) => !key.startsWith(attestPrefix))), layouts }
}

/** Contexts that are OCI layouts: the builder is told a name and a digest, and asks us for the blobs. */
async function withLayouts({ attributes }: BuildOrder): Promise<{
  readonly all: readonly (readonly [string, string])[]
  readonly layouts: ReadonlyMap<string, string>
}> {
  const layouts = new Map<string, string>()
  const all: (readonly [string, string])[] = []
  for (const [key, value] of Object.entries(attributes)) {
    if (!key.startsWith('context:') || !value.startsWith(layoutScheme)) {
      all.push([key, value])
      continue
    }
    const { findLayout } = await import('../../../client/buildkit/layouts.ts')
    const { folder, tag, digest } = await findLayout(value.slice(layoutScheme.length))
    const name = `layout${layouts.size}`
    layouts.set(name, folder)
    all.push([key, `${layoutScheme}${name}:${tag}@${digest}`])
  }
  return { all, layouts }
}

/** Said before anything is begun, and better than by a builder that has been sent nothing. */
async function check({ dockerfile, folders }: BuildOrder): Promise<void> {
  for (const folder of Object.values(folders))
    if (!(await kindOf(folder))?.isDirectory())
      throw new Failure('not-found', `there is no folder "${folder}" to build from`, { hint: 'Correct "context"' })
  if (dockerfile?.kind === 'file' && !(await kindOf(dockerfile.file)))
    throw new Failure('not-found', `failed to read dockerfile: open ${dockerfile.file}: no such file or directory`, {
      hint: 'Correct "dockerfile"',
    })
}

async function kindOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw new Failure('denied', `cannot read "${path}": ${errnoOf(error) ?? 'it failed'}`, { cause: error })
  }
}

function servedFolders(order: BuildOrder): ReadonlyMap<string, ServedFolder> {
  const folders = new Map<string, ServedFolder>(
    Object.entries(order.folders).map(([name, path]) => [name, { kind: 'folder', path }]),
  )
  if (order.dockerfile?.kind === 'file')
    folders.set(dockerfileFolder, { kind: 'folder', path: dirname(order.dockerfile.file) })
  else if (order.dockerfile)
    folders.set(dockerfileFolder, {
      kind: 'texts',
      texts: new Map([[order.attributes['filename']!, Buffer.from(order.dockerfile.text)]]),
    })
  return folders
}

function servedOf(order: BuildOrder, agents: SshAgents, { registryAuth }: BuildContext): Served {
  const folders = servedFolders(order)
  return {
    folders,
    secret: async id => {
      const found = order.secrets.find(secret => secret.id === id)
      return found && (await secretOf(found))
    },
    credentials: async host => registryAuth && credentialsOf(await registryAuth(`${registryOf(host)}/x`)),
    agent: id => agents.open(id),
  }
}

/** Ends what was started for the build, however it ended. */
async function withServed<T>(
  order: BuildOrder,
  context: BuildContext,
  work: (served: Served) => Promise<T>,
): Promise<T> {
  const { SshAgents } = await import('../../../client/buildkit/ssh-agent.ts')
  const own = context.env?.['SSH_AUTH_SOCK']
  const agents = new SshAgents(new Map(order.ssh.map(({ id, path }) => [id, path || own])))
  try {
    return await work(servedOf(order, agents, context))
  } finally {
    await agents.close()
  }
}

async function secretOf({ id, source }: BuildSecret): Promise<Uint8Array | undefined> {
  if (source.kind === 'none') return undefined
  const data = source.kind === 'value' ? Buffer.from(source.value) : await fileOf(id, source.file)
  if (data.length > maxSecret)
    throw new Failure('invalid', `Cannot give secret "${id}": it has over ${maxSecret / 1024} KiB`)
  return data
}

async function fileOf(id: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new Failure(
      'invalid',
      `Cannot give secret "${id}": "${file}" cannot be read (${errnoOf(cause) ?? 'it failed'})`,
      {
        cause,
      },
    )
  }
}

/** Docker's own is asked under another name than it is stored under. */
function registryOf(host: string): string {
  return host === 'registry-1.docker.io' ? 'docker.io' : host
}

/** Of a header as pulls send it. An identity token goes without a name, as BuildKit wants it. */
function credentialsOf(header: string | undefined): Credentials | undefined {
  if (header === undefined) return undefined
  const auth = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as RegistryAuth
  if (auth.identitytoken) return { username: '', secret: auth.identitytoken }
  return auth.password === undefined ? undefined : { username: auth.username ?? '', secret: auth.password }
}

/** Which files of earlier builds the builder compares with. */
function sharedKeyOf({ folders, dockerfile }: BuildOrder): string {
  const parts = [hostname(), folders['context'] ?? '', dockerfile?.kind === 'file' ? dirname(dockerfile.file) : '']
  return createHash('sha256').update(parts.join('\0')).digest('hex')
}

function cacheOf({ type, attributes }: CachePlace) {
  return { type, attributes: new Map(Object.entries(attributes)) }
}
