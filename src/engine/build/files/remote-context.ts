/** A build context from elsewhere: a commit of a git repository, an archive of a web server, or a Dockerfile alone. */
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs'
import { posix } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import { fsPath } from '../../../lib/file-name.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import { OverlayWriter } from '../../base/overlay-writer.ts'
import { unpackLimits } from '../../images/unpack-limits.ts'
import { parseGitAddress } from '../dockerfile/git-source.ts'
import { isArchive, openArchive } from './archive.ts'
import { type FetchOptions, fetchSource } from './fetch.ts'
import { SourceTree } from './source-tree.ts'
import { Turns } from './turns.ts'
import { unpackArchive } from './unpack-archive.ts'

/** A build argument that keeps a repository's history. */
const keepGitDir = 'BUILDKIT_CONTEXT_KEEP_GIT_DIR'

/** A folder with its files, all of them root's; below `folder`, and gone with it. @throws Failure as `fetchSource` does. */
export async function fetchContext(address: string, options: FetchOptions): Promise<HostPath> {
  const git = parseGitAddress(address)
  if (git !== undefined) {
    const keep = git.keepGitDir ?? /^(?:1|true)$/i.test(options.args.get(keepGitDir) ?? '')
    const source = { ...git, kind: 'git', keepGitDir: keep, submodules: git.submodules ?? true } as const
    return (await fetchSource(source, options))!.path
  }
  if (!/^https?:\/\//i.test(address))
    throw new Failure(
      'invalid',
      `Cannot build from ${JSON.stringify(address)}: it is no git repository and no web address`,
    )
  const fetched = (await fetchSource({ kind: 'http', url: address, checksum: undefined }, options))!
  const into = `${options.folder}/context`
  mkdirSync(into)
  // whatever umask the engine has: users of a build look into it where it is mounted
  chmodSync(into, 0o755)
  using tree = new SourceTree({ layers: [posix.dirname(fetched.path)], exclude: [] })
  const entry = tree.child(tree.root, posix.basename(fetched.path))!
  if (!(await isArchive(entry))) {
    copyFileSync(fsPath(fetched.path), `${into}/Dockerfile`)
    return into
  }
  using writer = new OverlayWriter([], into)
  const limits = await unpackLimits(into, options.limits)
  const reader = openArchive(entry, limits)
  try {
    const owner = { uid: 0, gid: 0 }
    await unpackArchive(reader, { writer, into: writer.root, owner, limits, turns: new Turns(options.signal) })
  } finally {
    await reader.close()
  }
  return into
}
