/** What a step is handed for files: how they are copied, told apart and fetched. */
import type { HostPath } from '../../runtime/spec.ts'
import type { CopyRequest, Fetched, FilesDigest, FilesSource } from './copy-request.ts'
import type { AddSource, AddStep, CopyStep, WorkdirStep } from './dockerfile/plan.ts'
import { copyFiles } from './files/copy.ts'
import { filesDigest, treeDigest } from './files/digest.ts'
import { DigestMemory } from './files/digest-memory.ts'
import { copyPart, shownLayers } from './files/mount-source.ts'
import { makeWorkdir } from './files/workdir.ts'

export interface DigestRequest {
  readonly step: CopyStep | AddStep
  readonly source: FilesSource
  readonly fetched: readonly (Fetched | undefined)[]
  readonly signal: AbortSignal
}

export interface FileWork {
  copy(request: CopyRequest): Promise<void>
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
  /** Undefined for a path. `folder` is empty, and goes with the step. */
  fetch(
    source: AddSource,
    options: { readonly folder: HostPath; readonly step: AddStep; readonly signal: AbortSignal },
  ): Promise<Fetched | undefined>
  workdir(step: WorkdirStep, options: { readonly below: readonly HostPath[]; readonly upper: HostPath }): Promise<void>
}

/** On this machine; what is read once is remembered. */
export function fileWork(): FileWork {
  const memory = new DigestMemory()
  return {
    copy: copyFiles,
    digest: request => filesDigest({ ...request, memory }),
    treeDigest: (path, request) => treeDigest(path, { ...request, memory }),
    shown: shownLayers,
    copyPart,
    fetch: async () => undefined,
    workdir: async (step, options) => void makeWorkdir(step, options),
  }
}
