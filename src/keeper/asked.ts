/** What is asked for of a stack, as its record has it: by a command, or by what its files say now. */
import type { HoldRequest } from '../api/keeper.ts'
import { nothingAccepted } from '../drift/accepted.ts'
import { thaw } from '../model/frozen.ts'
import { reasonsToHold } from '../model/holding.ts'
import type { HoldRecord } from './records.ts'

/** Services that are named are asked for beside those that were before. */
export function joined(before: HoldRequest, request: HoldRequest): HoldRequest {
  if (request.services === undefined) return request
  return {
    ...request,
    services: before.services && [...new Set([...before.services, ...request.services])],
    scale: { ...before.scale, ...request.scale },
  }
}

/** A record of what has just been asked for. */
export function recordOf(
  name: string,
  request: HoldRequest,
  { accepted = nothingAccepted }: Partial<Pick<HoldRecord, 'accepted'>> = {},
): HoldRecord {
  return { version: 1, name, ...request, since: new Date().toISOString(), seen: Date.now(), accepted }
}

export interface Reread {
  readonly record: HoldRecord
  /** The model is as it was; what the files behind configs hold may have changed. */
  readonly isSame: boolean
  /** A service is no longer in it. */
  readonly left: boolean
}

/** The record of a stack that is watched, after its files were read again. */
export function rereadRecord(
  record: HoldRecord,
  { project: frozen, files }: { readonly project: unknown; readonly files: readonly string[] },
): Reread {
  const [before, project] = [thaw(record.project), thaw(frozen)]
  const has = (name: string) => Object.hasOwn(project.services, name)
  const { services, scale = {}, watch, files: _, ...rest } = record
  return {
    record: {
      ...rest,
      project: frozen,
      ...(services && { services: services.filter(has) }),
      scale: Object.fromEntries(Object.entries(scale).filter(([name]) => has(name))),
      reasons: reasonsToHold(project).map(({ text }) => text),
      ...(watch && { watch: { ...watch, files } }),
    },
    isSame: JSON.stringify(record.project) === JSON.stringify(frozen),
    left: Object.keys(before.services).some(name => !has(name) && !Object.hasOwn(project.disabledServices, name)),
  }
}
