/** Configs and secrets of a service: a file is bound read-only; a text, and a file that is to have an owner or mode, is put into the container before its start. */
import type { Mount } from '../../../api/container-body.ts'
import { Problems } from '../../../lib/problems.ts'
import type { FileObject, FileReference } from '../../../model/file-object.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { NodeId } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import type { FileUpload } from '../operation.ts'
import type { Hooked } from './hooks.ts'

/** Absolute paths of the files behind configs and secrets that services use, sorted, for `observe`. */
export function filesOf(project: Project): readonly string[] {
  const files = new Set<string>()
  for (const service of Object.values(project.services))
    for (const { object } of used(project, service)) if (object.source.kind === 'file') files.add(object.source.file)
  return [...files].sort()
}

/** What stands for the sha256 of a folder. */
export const folderHash = 'folder'

export interface FileObjects {
  readonly mounts: readonly { readonly mount: Mount; readonly path: readonly string[] }[]
  readonly uploads: readonly FileUpload[]
}

/** @throws ProblemsFailure with every file or variable that is missing, and every content that is somebody else's to give. */
export function fileObjects(project: Project, service: Service, files: ReadonlyMap<string, string>): FileObjects {
  const mounts: { mount: Mount; path: readonly string[] }[] = []
  const uploads: FileUpload[] = []
  const problems = new Problems()
  for (const { kind, object, reference } of used(project, service)) {
    const refuse: Refuse = (code, why, hint) => {
      const path = [`${kind}s`, object.key]
      const message = `Cannot give ${kind} "${object.key}" to service "${service.name}": ${why}`
      problems.add({ severity: 'error', code, place: project.place(path), path, message, hint })
    }
    const source = object.source
    switch (source.kind) {
      case 'file':
        if (!files.has(source.file))
          refuse('missing-file', `there is no readable file "${source.file}"`, 'Create the file')
        else if (reference.uid === undefined && reference.gid === undefined && reference.mode === undefined)
          mounts.push({
            mount: { Type: 'bind', Source: source.file, Target: reference.target, ReadOnly: true },
            path: reference.path,
          })
        else if (files.get(source.file) === folderHash)
          refuse('not-a-file', `"${source.file}" is a folder, and uid, gid and mode are for files`, 'Name a file')
        else uploads.push(upload(reference, { file: source.file }, refuse))
        break
      case 'environment':
        if (source.value === undefined)
          refuse('unset-variable', `variable "${source.variable}" is not set`, `Set ${source.variable}`)
        else uploads.push(upload(reference, source.value, refuse))
        break
      case 'content':
        uploads.push(upload(reference, source.content, refuse))
        break
      case 'external':
      case 'driver':
        refuse(
          'content-elsewhere',
          `its content is not in the stack (${source.kind})`,
          'Use file, environment or content',
        )
        break
      default:
        source satisfies never
    }
  }
  problems.settle()
  return { mounts, uploads }
}

/** Puts them into a container, after `last`; returns what comes last now. */
export function planUploads(plan: EnginePlan, on: Hooked, { files, last }: Uploads): NodeId | undefined {
  if (files.length === 0) return last
  const operation = { kind: 'upload-files', cause: 'configs and secrets of the stack', ...on, files } as const
  return plan.add(operation, last === undefined ? [] : [last])
}

export interface Uploads {
  readonly files: readonly FileUpload[]
  readonly last: NodeId | undefined
}

type Refuse = (code: string, why: string, hint: string) => void

function upload(reference: FileReference, content: FileUpload['content'], refuse: Refuse): FileUpload {
  const [uid, gid] = [reference.uid, reference.gid].map(id => Number(id ?? 0)) as [number, number]
  if (!Number.isInteger(uid) || !Number.isInteger(gid))
    refuse('bad-value', 'its uid and gid must be numbers', 'Write the number instead of the name')
  return { target: reference.target, content, uid, gid, mode: reference.mode ?? 0o444 }
}

interface Use {
  readonly kind: 'config' | 'secret'
  readonly object: FileObject
  readonly reference: FileReference
}

function used(project: Project, service: Service): readonly Use[] {
  const list: Use[] = []
  for (const kind of ['config', 'secret'] as const)
    for (const reference of service[`${kind}s`]) {
      const object = project[`${kind}s`][reference.source]
      if (object) list.push({ kind, object, reference })
    }
  return list
}
