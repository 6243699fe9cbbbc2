/** What a step is handed for files: how they are copied, told apart and fetched. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPath } from '../../runtime/spec.ts'
import type { ArchiveLimits } from '../images/unpack-limits.ts'
import type { CopyRequest, Fetched, FilesDigest, FilesSource } from './copy-request.ts'
import type { AddSource, AddStep, CopyStep, WorkdirStep } from './dockerfile/plan.ts'
import { copyFiles } from './files/copy.ts'
import { type DigestRequest as Digesting, filesDigest, treeDigest } from './files/digest.ts'
import { DigestMemory } from './files/digest-memory.ts'
import { Downloads } from './files/downloads.ts'
import { type FetchOptions, fetchSource } from './files/fetch.ts'
import { copyPart, shownLayers } from './files/mount-source.ts'
import { fetchContext } from './files/remote-context.ts'
import { makeWorkdir } from './files/workdir.ts'

export interface DigestRequest {
  readonly step: CopyStep | AddStep
  readonly source: FilesSource
  readonly fetched: readonly (Fetched | undefined)[]
  readonly signal: AbortSignal
}

export interface FetchWork extends Pick<FetchOptions, 'args' | 'client' | 'signal'> {
  /** What is fetched goes with it. */
  readonly folder: HostPath
}

export interface FileWork {
  copy(request: Omit<CopyRequest, 'limits'>): Promise<void>
  /** @throws Failure `not-found` for a source that is not there. */
  digest(request: DigestRequest): Promise<FilesDigest>
  /** Of one path and all below it. @throws Failure `not-found`. */
  treeDigest(path: string, request: Pick<DigestRequest, 'source' | 'signal'>): Promise<FilesDigest>
  /** As layers that can be mounted, lowest first; `mask` is a path where nothing is yet. */
  shown(source: FilesSource, mask: HostPath): readonly HostPath[]
  /** What is in a folder of the source, or the file at a path, to a folder of the host. @throws Failure `not-found`. */
  copyPart(
    source: FilesSource,
    path: string,
    options: { readonly into: HostPath; readonly signal: AbortSignal },
  ): Promise<void>
  /** What was fetched from web servers. */
  readonly downloads: Downloads
  /** Undefined for a path. */
  fetch(source: AddSource, options: FetchWork): Promise<Fetched | undefined>
  /** A folder with the files of a git repository or an archive of a web server, in the one that is given. */
  fetchContext(address: string, options: FetchWork): Promise<HostPath>
  workdir(step: WorkdirStep, options: { readonly below: readonly HostPath[]; readonly upper: HostPath }): Promise<void>
}

/**
 * On this machine; what is read once is remembered, what is downloaded kept in a folder. `limits` are those of each archive, `sumLarge`
 * works beside this thread.
 */
export function fileWork(
  kept: HostPath,
  { limits, sumLarge }: { readonly limits?: Partial<ArchiveLimits> | undefined } & Pick<Digesting, 'sumLarge'> = {},
): FileWork {
  const memory = new DigestMemory()
  const downloads = new Downloads(kept)
  const own = (options: FetchWork) => ({
    ...options,
    downloads,
    limits,
    folder: mkdtempSync(join(options.folder, 'fetched-')),
  })
  return {
    downloads,
    copy: request => copyFiles({ ...request, limits }),
    digest: request => filesDigest({ ...request, memory, sumLarge }),
    treeDigest: (path, request) => treeDigest(path, { ...request, memory, sumLarge }),
    shown: shownLayers,
    copyPart,
    fetch: async (source, options) => (source.kind === 'path' ? undefined : await fetchSource(source, own(options))),
    fetchContext: async (address, options) => await fetchContext(address, own(options)),
    workdir: async (step, options) => void makeWorkdir(step, options),
  }
}
