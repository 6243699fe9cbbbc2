/** What becomes of an object, by what is there and what the server answers to a dry run of its apply. */
import { stableHash } from '../../../lib/stable-json.ts'
import { list } from '../../../lib/text.ts'
import type { Change } from '../../../plan/change.ts'
import { fieldManager } from '../labels.ts'
import type { Live } from '../live.ts'
import { keyOf, type Manifest } from '../manifest.ts'
import type { Refusal, Wanted } from '../objects/given-input.ts'
import type { Verdict } from '../observed.ts'
import { refusalText, type Status } from '../rest/status.ts'
import { type Difference, differences } from './differences.ts'
import { changeOf, isOwnMark } from './field-words.ts'

/** Whether the server is to be asked what it would make of it. */
export function needsAnswer(wanted: Manifest, live: Live | undefined): boolean {
  return live === undefined || live.metadata.deletionTimestamp !== undefined || differences(wanted, live).length > 0
}

export interface Answered {
  readonly live: Live | undefined
  readonly answer: Live
  /** It would have made one. */
  readonly isNew: boolean
}

export function answered(wanted: Manifest, { live, answer, isNew }: Answered): Verdict {
  if (live?.metadata.deletionTimestamp !== undefined)
    return { kind: 'replaced', changes: [], why: 'the one there is being removed' }
  const lost = lostOf(wanted, answer)
  if (live === undefined) return isNew ? { kind: 'new', lost } : foreign(wanted, answer)
  // what the server writes in another way is no change
  if (contentOf(answer, live.hasContent) === contentOf(live, live.hasContent)) return { kind: 'same', lost }
  return { kind: 'changed', changes: changesOf(wanted, live, lost), lost }
}

/** Fields that the server takes and does not keep, as one does that is older than they are. */
function lostOf(wanted: Manifest, answer: Live): readonly string[] {
  const gone = differences(wanted, answer).filter(({ from, to }) => from === undefined && to !== undefined)
  return [...new Set(gone.map(each => changeOf(wanted.kind, each).path))]
}

/** In the stack's words, without what will not be kept; where nothing else differs, marks of our own count too. */
export function changesOf(wanted: Manifest, live: Live, lost: readonly string[] = []): readonly Change[] {
  const found = differences(wanted, live)
  const isLost = (each: Difference) => each.from === undefined && lost.includes(changeOf(wanted.kind, each).path)
  const told = found.filter(each => !isOwnMark(each.path) && !isLost(each))
  const unique = new Map<string, Change>()
  for (const each of told.length > 0 ? told : found) {
    const change = changeOf(wanted.kind, each)
    unique.set(JSON.stringify(change), change)
  }
  return [...unique.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Without what every write or reader leaves; an item of a list does not say what it is. */
function contentOf(
  { metadata, status: _, apiVersion: _1, hasContent: _2, kind, ...rest }: Live,
  isSeen = true,
): string {
  const { managedFields: _3, resourceVersion: _4, generation: _5, ...kept } = metadata
  return stableHash({ ...(isSeen ? rest : {}), kind, metadata: kept })
}

/** What the server says of fields that cannot change once they are there. */
const immutable =
  /field is immutable|is immutable after creation|may not change once set|updates to statefulset spec for fields other than|cannot change/i

export function refusedBy(
  wanted: Manifest,
  { live, status }: { readonly live: Live | undefined; readonly status: Status },
): Verdict {
  const { kind, metadata } = wanted
  const messages = status.causes.map(({ field, message }) => `${field}: ${message}`)
  const isFixed = status.reason === 'Invalid' && immutable.test([status.message, ...messages].join('\n'))
  if (live !== undefined && isFixed) {
    const changes = changesOf(wanted, live)
    if (kind !== 'PersistentVolumeClaim') return { kind: 'replaced', changes, why: 'it cannot be changed as it stands' }
    return refused(wanted, {
      code: 'changed-volume',
      message: `${list(changes.map(({ path }) => path))} cannot change on a claim that is there, which holds data`,
      hint: 'Leave it as it was, or give the volume another name',
    })
  }
  if (live === undefined && (status.reason === 'Conflict' || isFixed)) return foreign(wanted)
  if (status.code === 404 && status.message.startsWith('namespaces '))
    return refused(wanted, {
      code: 'missing-namespace',
      message: `there is no namespace "${metadata.namespace}"`,
      hint: `Make it: kubectl create namespace ${metadata.namespace}`,
    })
  return refused(wanted, { code: 'refused', message: refusalText(status), hint: 'The cluster says so to a dry run' })
}

function refused(wanted: Manifest, { code, message, hint }: Refusal): Verdict {
  return { kind: 'refused', refusal: { code, message: `Cannot have ${keyOf(wanted)}: ${message}`, hint } }
}

/** There is one under the name that is not of the stack. `other`: as it is, or would be. */
export function foreign(wanted: Manifest, other?: Live): Verdict {
  const others = other?.metadata.managedFields?.flatMap(({ manager }) =>
    manager === fieldManager ? [] : (manager ?? []),
  )
  const by = others === undefined || others.length === 0 ? '' : `, written by ${list([...new Set(others)])}`
  return refused(wanted, {
    code: 'foreign-object',
    message: `there is one that is not of this stack${by}`,
    hint: 'Use another namespace: --namespace',
  })
}

/** A workload whose replicas somebody else scales, an autoscaler say, is not told how many. */
export function withoutScaled(wanted: Wanted, live: Live | undefined): Wanted {
  const { spec } = wanted.manifest
  if (spec?.['replicas'] === undefined || live === undefined) return wanted
  const isScaled = (live.metadata.managedFields ?? []).some(
    ({ manager, subresource, fieldsV1 }) =>
      manager !== fieldManager && subresource === 'scale' && fieldsV1?.['f:spec']?.['f:replicas'] !== undefined,
  )
  if (!isScaled) return wanted
  const { replicas: _, ...rest } = spec
  return { ...wanted, manifest: { ...wanted.manifest, spec: rest } }
}
