/** A commit of a git repository as a folder: one ref, one folder of it, its submodules, with its history left out unless it is asked for. */

import { hash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import { fsPath } from '../../../lib/file-name.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { Fetched } from '../copy-request.ts'
import type { AddSource } from '../dockerfile/plan.ts'
import { type GitOptions, git } from './git-program.ts'
import { SourceTree } from './source-tree.ts'

export type GitSource = Extract<AddSource, { kind: 'git' }>

/** Addresses and refs come from whoever wrote the Dockerfile: neither is ever an option of git. */
const plainRef = /^(?!-)[^\s\0~^:?*[\\]{1,500}$/

/**
 * `folder` is empty and takes the checkout.
 * @throws Failure `not-found` for a ref or folder that is not there, `invalid` for another commit than the checksum says.
 */
export async function fetchGit(
  source: GitSource,
  folder: HostPath,
  options: Omit<GitOptions, 'cwd'>,
): Promise<Fetched> {
  const { ref = 'HEAD', subdir, checksum, keepGitDir, submodules } = source
  if (!plainRef.test(ref))
    throw new Failure('invalid', `Cannot fetch git ref ${JSON.stringify(ref)}: it is no name of one`)
  const place = join(folder, 'checkout')
  mkdirSync(place, { mode: 0o755 })
  const run = async (...args: string[]) => (await git(args, { ...options, cwd: place })).trim()
  await run('init', '--quiet', '--template=')
  const config = join(place, '.git', 'config')
  // by a file, as arguments can be seen by everybody
  writeFileSync(config, remoteConfig(source.remote), { flag: 'a', mode: 0o600 })
  await fetchRef(run, ref)
  const commit = await run('rev-parse', '--verify', 'HEAD')
  if (checksum !== undefined && !commit.startsWith(checksum))
    throw new Failure('invalid', `Cannot use git repository: expected checksum to match ${checksum}, got ${commit}`)
  const modules = submodules ? await fetchSubmodules(run) : []
  if (keepGitDir) {
    rmSync(join(place, '.git', 'FETCH_HEAD'), { force: true })
    rmSync(join(place, '.git', 'logs'), { recursive: true, force: true })
    await run('remote', 'set-url', 'origin', withoutCredentials(source.remote))
  } else {
    rmSync(join(place, '.git'), { recursive: true })
    for (const path of modules) rmSync(join(place, path, '.git'), { recursive: true, force: true })
  }
  setModes(place)
  return {
    path: join(place, subdir === undefined ? '' : realFolder(place, subdir)),
    name: '',
    digest: `sha256:${hash('sha256', JSON.stringify([commit, subdir ?? '', keepGitDir, submodules]))}`,
  }
}

type Run = (...args: string[]) => Promise<string>

/** Its commit alone; all of the repository where a server does not hand out a commit by its name. */
async function fetchRef(run: Run, ref: string): Promise<void> {
  if (!/^[0-9a-f]{40}$/.test(ref)) {
    const full = ref === 'HEAD' ? ref : await findRef(run, ref)
    await run('fetch', '--quiet', '--depth=1', '--no-tags', 'origin', full)
    await run('checkout', '--quiet', '--detach', 'FETCH_HEAD')
    return
  }
  try {
    await run('fetch', '--quiet', '--depth=1', '--no-tags', 'origin', ref)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    await run('fetch', '--quiet', '--tags', 'origin', '+refs/heads/*:refs/remotes/origin/*')
  }
  await run('checkout', '--quiet', '--detach', ref)
}

/** A branch before a tag of the same name, as git itself has it. */
async function findRef(run: Run, ref: string): Promise<string> {
  const names = new Set((await run('ls-remote', 'origin', ref)).split('\n').map(line => line.split('\t')[1]))
  const found = [`refs/heads/${ref}`, `refs/tags/${ref}`, ref, `refs/${ref}`].find(name => names.has(name))
  if (found === undefined)
    throw new Failure('not-found', `Cannot fetch git ref "${ref}": the repository does not contain ref ${ref}`)
  return found
}

/** Paths of the submodules, those of submodules included. */
async function fetchSubmodules(run: Run): Promise<readonly string[]> {
  await run('submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1')
  const list = await run('submodule', '--quiet', 'foreach', '--recursive', 'echo "$displaypath"')
  return list.split('\n').filter(path => path !== '' && !path.split('/').includes('..'))
}

function remoteConfig(remote: string): string {
  if (/[\0\n\r]/.test(remote) || remote.startsWith('-'))
    throw new Failure('invalid', `Cannot fetch git repository ${JSON.stringify(remote)}: it is no address of one`)
  const quoted = remote.replace(/[\\"]/g, '\\$&')
  return `[remote "origin"]\n\turl = "${quoted}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`
}

function withoutCredentials(remote: string): string {
  return remote.replace(/^(https?:\/\/)[^/@]*@/, '$1')
}

/** The way to a folder of the checkout, without links. */
function realFolder(place: HostPath, subdir: string): string {
  using tree = new SourceTree({ layers: [place], exclude: [] })
  const found = tree.resolve(subdir)
  if (found?.entry.kind !== 'folder')
    throw new Failure('not-found', `Cannot use folder "${subdir}" of the git repository: subdir not found`)
  return found.entry.path
}

/** As git means them, whatever umask the engine has. */
function setModes(path: HostPath): void {
  const stat = lstatSync(fsPath(path))
  if (stat.isSymbolicLink()) return
  const mode = stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644
  if ((stat.mode & 0o7777) !== mode) chmodSync(fsPath(path), mode)
  if (stat.isDirectory()) for (const name of readdirSync(fsPath(path))) setModes(join(path, name))
}
