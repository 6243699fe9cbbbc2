/** Brings changed files into a container: one archive for all that is there, one `rm` for all that is gone. */
import { lstatSync } from 'node:fs'
import { containerEndpoints } from '../api/containers.ts'
import { execEndpoints } from '../api/exec.ts'
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'
import { splitLines } from '../targets/engine/logs/log-lines.ts'
import { isWithin } from './rules.ts'
import { type SyncEntry, syncTar } from './sync-tar.ts'

export interface SyncTo {
  readonly id: string
  /** For people. */
  readonly name: string
}

export interface SyncOptions {
  readonly signal?: AbortSignal | undefined
  warn(text: string): void
}

/** So many paths are removed by one command, far below what a command line may hold. */
const most = 500

/**
 * `files`: path on this machine → path in the container. What is written belongs to the container's user, as with Compose.
 *
 * @throws Failure of the engine, or when what is gone could not be removed
 */
export async function sync(
  client: Client,
  container: SyncTo,
  { files, ...options }: SyncOptions & { readonly files: ReadonlyMap<string, string> },
): Promise<void> {
  const entries: SyncEntry[] = []
  const gone: string[] = []
  for (const [path, target] of files)
    if (isThere(path)) entries.push({ path, target })
    else gone.push(target)
  await remove(client, container, gone, options)
  if (entries.length === 0) return
  const body = syncTar(entries, (path, errno) => options.warn(`"${path}" is not synced: it cannot be read (${errno})`))
  await client.call(
    containerEndpoints.containerArchivePut,
    { params: { id: container.id }, query: { path: '/', copyUIDGID: true }, body },
    options,
  )
}

async function remove(
  client: Client,
  container: SyncTo,
  targets: readonly string[],
  { signal }: SyncOptions,
): Promise<void> {
  // with a folder goes all that is in it; sorted, what is within follows its folder
  const tops = [...targets].sort().reduce<string[]>((kept, target) => {
    const last = kept.at(-1)
    if (target !== '/' && (last === undefined || !isWithin(last, target))) kept.push(target)
    return kept
  }, [])
  for (let from = 0; from < tops.length; from += most)
    await removeAll(client, container, tops.slice(from, from + most), signal)
}

async function removeAll(
  client: Client,
  { id, name }: SyncTo,
  targets: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // as root, whoever runs the container: the folder may be the image's
  const body = { Cmd: ['rm', '-rf', '--', ...targets], User: '0', AttachStdout: true, AttachStderr: true }
  const exec = await client.call(execEndpoints.execCreate, { params: { id }, body }, { signal })
  const params = { id: exec.Id }
  const { output, socket } = await client.hijack(execEndpoints.execStart, { params, body: {} }, { tty: false, signal })
  let said = ''
  try {
    for await (const { text } of splitLines(output)) if (said.length < 1000) said += `${said && ' / '}${text}`
  } finally {
    socket.destroy()
  }
  const { ExitCode: code } = await client.call(execEndpoints.execInspect, { params }, { signal })
  if (code === 0) return
  throw new Failure(
    'conflict',
    `Cannot remove ${targets.length === 1 ? `"${targets[0]}"` : `${targets.length} paths`} in "${name}": rm ended with ${code}${said && ` (${said})`}`,
    {
      ...(code === 127 || code === 126 ? { hint: 'Put an "rm" into the image, or rebuild instead of syncing' } : {}),
    },
  )
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
