/**
 * A build that is the same as one before, answered by a receipt of our engine: it knows whether its own part of it is as it was, and keeps
 * for us what it was sent of our files. Any other builder has none, and builds. (../../api/build-receipts.ts)
 */
import { createHash } from 'node:crypto'
import { type BuiltAgain, receiptEndpoints } from '../../api/build-receipts.ts'
import { isFailure } from '../../lib/failure.ts'
import type { Client } from '../client.ts'
import type { BuildEvent } from './events.ts'
import { ListingPrint } from './listing-print.ts'
import type { Asked, ServedFolder } from './served.ts'
import { walk } from './walk.ts'

export interface AgainOptions {
  readonly signal: AbortSignal
  readonly onEvent: (event: BuildEvent) => void
}

/** Of what is asked of the builder, files apart. */
export function buildKey(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

/** The id of the image, which has its names; undefined: it is to be built. */
export async function builtAgain(
  client: Client,
  key: string,
  folders: ReadonlyMap<string, ServedFolder>,
  { signal, onEvent }: AgainOptions,
): Promise<string | undefined> {
  const params = { key }
  const noted = await orNothing(client.call(receiptEndpoints.receiptGet, { params }, { signal }))
  if (noted === undefined || !isAsItWas(noted.Note, folders)) return undefined
  const again = await orNothing(client.call(receiptEndpoints.receiptUse, { params }, { signal }))
  if (again === undefined) return undefined
  for (const event of eventsOf(again)) onEvent(event)
  return again.Image
}

/** Notes what a builder was sent, for the next time. */
export async function noteBuild(
  client: Client,
  { key, receipt, asked }: { readonly key: string; readonly receipt: string; readonly asked: readonly Asked[] },
  signal: AbortSignal,
): Promise<void> {
  if (asked.some(({ print }) => print === undefined)) return
  const body = { Receipt: receipt, Note: JSON.stringify(asked) }
  // so many that the engine forgot it at once, or too long a note: the next build goes the whole way
  await orNothing(client.call(receiptEndpoints.receiptPut, { params: { key }, body }, { signal }))
}

/** An engine that has none, or knows nothing of receipts. */
async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isFailure(error, 'not-found') || isFailure(error, 'invalid') || isFailure(error, 'unsupported'))
      return undefined
    throw error
  }
}

/** Whether our files are what the builder was sent; each question is asked of them once more. */
function isAsItWas(note: string, folders: ReadonlyMap<string, ServedFolder>): boolean {
  return (
    askedOf(note)?.every(({ folder, include, exclude, follow, print }) => {
      const served = folders.get(folder)
      if (served === undefined) return false
      const now = new ListingPrint()
      try {
        if (served.kind === 'texts') for (const [name, content] of served.texts) now.addText(name, content)
        else for (const file of walk({ root: served.path, include, exclude, follow })) now.add(file)
      } catch (error) {
        // the build says it of what it really needs
        if (isFailure(error, 'invalid')) return false
        throw error
      }
      return now.end() === print
    }) === true
  )
}

/** Undefined when somebody else has written it. */
function askedOf(note: string): readonly Asked[] | undefined {
  try {
    const asked = JSON.parse(note) as readonly Asked[]
    const isWhole = asked.every(each => [each.include, each.exclude, each.follow].every(isTexts))
    return isWhole ? asked : undefined
  } catch {
    return undefined
  }
}

const isTexts = (list: unknown) => Array.isArray(list) && list.every(each => typeof each === 'string')

function eventsOf({ Steps: steps, Warnings: warnings, Dockerfile: dockerfile }: BuiltAgain): readonly BuildEvent[] {
  const now = Date.now()
  return [
    ...steps.map(
      (name, i): BuildEvent => ({
        kind: 'step',
        step: `again-${i}`,
        name,
        cached: true,
        missed: undefined,
        started: now,
        completed: now,
        error: undefined,
      }),
    ),
    ...warnings.map(
      ({ Text: text, Detail: detail, Url: url, First: first, Last: last }): BuildEvent => ({
        kind: 'warning',
        text,
        detail,
        url,
        source: dockerfile && { file: dockerfile.Name, text: dockerfile.Text, ranges: [{ first, last }] },
      }),
    ),
  ]
}
