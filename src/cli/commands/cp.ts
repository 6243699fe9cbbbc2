/** Files out of a container and into it, as `docker compose cp`. */
import { spawn } from 'node:child_process'
import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, posix, resolve } from 'node:path'
import type { ContainerSummary } from '../../api/containers.ts'
import { endpoints } from '../../api/endpoints.ts'
import { listedName } from '../../api/listed-name.ts'
import type { Client } from '../../client/client.ts'
import { errnoOf, Failure, isFailure } from '../../lib/failure.ts'
import { numberOf } from '../../view/names.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'
import { replicasOf } from '../replicas.ts'

export const cp = command({
  usage: '[OPTIONS] SERVICE:PATH DEST | - \n       tscompose cp [OPTIONS] SOURCE | - SERVICE:PATH',
  about: 'A dash stands for a tar archive on standard output or input.',
  words: [2, 2],
  options: {
    index: { kind: 'number', value: 'N', about: 'Which replica (default: from the first, into all)' },
    all: { kind: 'flag', about: 'Those of run too' },
    archive: { kind: 'flag', short: 'a', about: 'Keep owners and groups' },
    'follow-link': { kind: 'flag', short: 'L', about: 'Copy what the source, where it is a link, points to' },
  },
  examples: [
    ['tscompose cp web:/etc/nginx/nginx.conf .', 'out of a container'],
    ['tscompose cp ./site web:/usr/share/nginx/html', 'into one'],
  ],
  async run(call) {
    const [from, to] = call.args as [string, string]
    const source = inContainer(from)
    const target = inContainer(to)
    if ((source === undefined) === (target === undefined))
      throw usage('unknown copy direction: exactly one side is SERVICE:PATH')
    const { service } = (source ?? target)!
    const { client, containers } = await replicasOf(call, { all: true, oneOff: call.options.all, services: [service] })
    const { index, archive, 'follow-link': followLink } = call.options
    const chosen = containers.filter(each => index === undefined || numberOf(each) === index)
    if (chosen.length === 0)
      throw new Failure(
        'not-found',
        index === undefined
          ? `no container found for service "${service}"`
          : `service "${service}" is not running container #${index}`,
      )
    if (source) await copyOut(client, chosen[0]!, { path: source.path, to, followLink, stdout: call.screen.stdout })
    else
      for (const container of chosen)
        await copyIn(client, container, {
          from,
          path: target!.path,
          keepOwners: archive,
          followLink,
          stdin: call.stdin,
        })
  },
})

/** `web:/path`; a path of here with a colon is written ./a:b. */
function inContainer(text: string): { service: string; path: string } | undefined {
  const match = /^([a-zA-Z0-9][\w.-]*):(.+)$/s.exec(text)
  return match ? { service: match[1]!, path: match[2]! } : undefined
}

async function copyOut(
  client: Client,
  container: ContainerSummary,
  {
    path: given,
    to,
    followLink,
    stdout,
  }: { path: string; to: string; followLink: boolean; stdout: { write(data: Uint8Array): boolean } },
): Promise<void> {
  const path = followLink ? await linked(client, container, given) : given
  const { content, stat } = await client.stream(endpoints.containerArchiveGet, {
    params: { id: container.Id },
    query: { path },
  })
  if (to === '-') {
    for await (const piece of content) stdout.write(piece)
    return
  }
  const wanted = resolve(to)
  const into = (await isFolder(wanted)) || to.endsWith('/')
  const name = stat?.name ?? posix.basename(path)
  const folder = into ? wanted : dirname(wanted)
  if (!(await isFolder(folder)))
    throw new Failure('not-found', `Cannot copy to "${to}": folder "${folder}" does not exist`)
  // tar strips leading slashes and refuses "..": a hostile archive stays inside the folder. Its top name becomes ours.
  const rename = into
    ? []
    : ['--transform', `flags=rSH;s,^${escapePattern(name)}\\(/\\|$\\),${escapeReplacement(basename(wanted))}\\1,`]
  await tar(['-x', '-f', '-', '-C', folder, '--no-same-owner', '--no-overwrite-dir', ...rename], { input: content })
}

/** Where a link in the container leads; the path itself when it is none. */
async function linked(client: Client, container: ContainerSummary, path: string): Promise<string> {
  const params = { id: container.Id }
  const stat = await client.call(endpoints.containerArchiveStat, { params, query: { path } })
  const target = stat.linkTarget
  return target ? posix.resolve(posix.dirname(path), target) : path
}

async function copyIn(
  client: Client,
  container: ContainerSummary,
  {
    from,
    path,
    keepOwners,
    followLink,
    stdin,
  }: { from: string; path: string; keepOwners: boolean; followLink: boolean; stdin: AsyncIterable<Uint8Array> },
): Promise<void> {
  const put = (folder: string, body: AsyncIterable<Uint8Array>) =>
    client.call(endpoints.containerArchivePut, {
      params: { id: container.Id },
      query: { path: folder, noOverwriteDirNonDir: true, ...(keepOwners ? { copyUIDGID: true } : {}) },
      body,
    })
  if (from === '-') return void (await put(path, stdin))
  const named = resolve(from)
  if ((await kindOf(named)) === 'none') throw new Failure('not-found', `Cannot copy "${from}": it does not exist`)
  const source = followLink ? await realpath(named) : named
  const stat = await client
    .call(endpoints.containerArchiveStat, { params: { id: container.Id }, query: { path } })
    .catch(error => {
      if (isFailure(error, 'not-found')) return undefined
      throw error
    })
  const folderThere = stat !== undefined && (stat.mode & (2 ** 31)) !== 0
  if (!folderThere && path.endsWith('/'))
    throw new Failure('not-found', `Cannot copy to "${listedName(container)}:${path}": there is no such folder`)
  // "SOURCE/." means what is in it, as with cp
  const contents = from.endsWith('/.') && folderThere
  const name = folderThere ? basename(named) : posix.basename(path)
  const folder = folderThere ? path : posix.dirname(path)
  const args = contents
    ? ['-c', '-f', '-', '-C', source, '.']
    : [
        '-c',
        '-f',
        '-',
        '-C',
        dirname(source),
        '--transform',
        `flags=rSH;s,^${escapePattern(basename(source))}\\(/\\|$\\),${escapeReplacement(name)}\\1,`,
        `./${basename(source)}`.slice(2),
      ]
  await withTar(args, body => put(folder, body))
}

async function withTar(
  args: readonly string[],
  use: (body: AsyncIterable<Uint8Array>) => Promise<unknown>,
): Promise<void> {
  const child = spawn('tar', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = endOf(child)
  await Promise.all([use(child.stdout), ended])
}

async function tar(args: readonly string[], { input }: { input: AsyncIterable<Uint8Array> }): Promise<void> {
  const { pipeline } = await import('node:stream/promises')
  const child = spawn('tar', args, { stdio: ['pipe', 'inherit', 'inherit'] })
  await Promise.all([pipeline(input, child.stdin), endOf(child)])
}

function endOf(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((done, reject) => {
    child.once('error', cause =>
      reject(new Failure('unavailable', `Cannot run "tar": ${errnoOf(cause) ?? 'it failed'}`, { cause })),
    )
    child.once('close', code =>
      code === 0 ? done() : reject(new Failure('internal', `Cannot copy: tar ended with ${code}`)),
    )
  })
}

async function isFolder(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'folder'
}

async function kindOf(path: string): Promise<'folder' | 'other' | 'none'> {
  try {
    return (await lstat(path)).isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'none'
    throw error
  }
}

/** For the left side of a tar --transform. */
function escapePattern(text: string): string {
  return text.replace(/[.[\]*^$\\,]/g, c => `\\${c}`)
}

/** For its right side, where only these mean something. */
function escapeReplacement(text: string): string {
  return text.replace(/[\\,&]/g, c => `\\${c}`)
}
