/** Refuses what would take containers from another checkout, unless told to. */
import { realpathSync } from 'node:fs'
import { Failure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { readAdopted, writeAdopted } from '../state/adopted.ts'
import type { Observed } from '../targets/engine/observed.ts'
import { otherOwner } from '../targets/engine/plan/owner.ts'
import type { Call } from './command.ts'
import type { OptionTable } from './options.ts'
import { folderOf } from './project.ts'

export const adoptOption = {
  adopt: { kind: 'flag', about: 'Take over a stack that was brought up from another folder' },
} as const satisfies OptionTable

export interface Owning {
  readonly host: string
  readonly project: Project
  /** Undefined: the command has no such option. */
  readonly adopt: boolean | undefined
  /** "bring up", for the message. */
  readonly verb: string
  /** What else could be done than to adopt. */
  readonly otherwise: string
}

/** @throws Failure `conflict` naming both folders */
export function checkOwner(call: Call, observed: Observed, owning: Owning): void {
  const { project, adopt, verb, otherwise } = owning
  const of = { host: owning.host, env: call.env }
  const adopted = readAdopted(project.name, of)
  const other = otherOwner({ project, observed, adopted, same: isSameFolder })
  if (other === undefined) {
    // nothing of the others' is left
    if (adopted !== undefined && !isSameFolder(adopted, project.directory) && !call.globals['dry-run'])
      writeAdopted(project.name, undefined, of)
    return
  }
  if (!adopt)
    throw new Failure(
      'conflict',
      `Cannot ${verb} project "${project.name}": it belongs to "${other}", and this is "${project.directory}"`,
      { hint: `Take it over with ${adopt === undefined ? '"tscompose up --adopt"' : '--adopt'}, or ${otherwise}` },
    )
  if (!call.globals['dry-run']) writeAdopted(project.name, project.directory, of)
}

/** For what is kept of a project, whose files are those of then: whether it is this folder's to go back. */
export async function keptOwner(
  call: Call,
  { host, project, verb }: Pick<Owning, 'host' | 'project' | 'verb'>,
): Promise<(observed: Observed) => void> {
  const directory = await folderOf(call)
  if (directory === undefined) return () => undefined
  const otherwise = `name it without its files: -p ${project.name}`
  const here = { ...project, directory }
  return observed => checkOwner(call, observed, { host, project: here, adopt: undefined, verb, otherwise })
}

function isSameFolder(a: string, b: string): boolean {
  return a === b || real(a) === real(b)
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // gone, or on another machine: then its name is all there is to compare
    return path
  }
}
