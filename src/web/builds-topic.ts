/** Images of a stack that were built or are being built, by whomever, and the steps of one of them, as the builder tells of them. */
import type { BuildEvent } from '../client/buildkit/events.ts'
import { type BuildNews, buildHistory, eventsOfBuild, type KnownBuild } from '../client/buildkit/history.ts'
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'
import { labels } from '../targets/engine/labels.ts'
import type { BuildRow, BuildStep, Patch } from './wire.ts'

/** Milliseconds in which steps are gathered. */
const pace = 60
/** Characters of what a step has printed, the last of them. */
const mostOutput = 4000

interface BuildsOf {
  readonly client: Client
  readonly stack: string
  readonly signal: AbortSignal
}

type Send = (data: unknown) => Promise<void>

export async function sendBuilds({ client, stack, signal }: BuildsOf, send: Send): Promise<void> {
  const known = new Map<string, string>()
  const take = (news: BuildNews): Patch<BuildRow> | undefined => {
    if (news.kind === 'removed') return known.delete(news.ref) ? { set: [], gone: [news.ref] } : undefined
    if (news.build.labels.get(labels.project) !== stack) return undefined
    const row = rowOf(news.build)
    const text = JSON.stringify(row)
    if (known.get(row.ref) === text) return undefined
    known.set(row.ref, text)
    return { set: [row], gone: [] }
  }
  const before: BuildRow[] = []
  for await (const news of buildHistory(client, { signal, soFar: true })) before.push(...(take(news)?.set ?? []))
  await send({ whole: true, set: before, gone: [] } satisfies Patch<BuildRow>)
  // tells all of it once more before what comes
  for await (const news of buildHistory(client, { signal })) {
    const patch = take(news)
    if (patch) await send(patch)
  }
}

/** Ends with the build. @throws Failure `not-found` for a build that is none of the stack's */
export async function sendBuild(
  { client, stack, signal, ref }: BuildsOf & { readonly ref: string },
  send: Send,
): Promise<void> {
  await check(client, { stack, ref, signal })
  const steps = new Map<string, BuildStep>()
  const changed = new Set<string>()
  let due: NodeJS.Timeout | undefined
  const flush = async (): Promise<void> => {
    clearTimeout(due)
    due = undefined
    const set = [...changed].map(step => steps.get(step)!)
    changed.clear()
    if (set.length > 0) await send({ set, gone: [] } satisfies Patch<BuildStep>)
  }
  try {
    for await (const event of eventsOfBuild(client, ref, signal)) {
      const step = merged(event, steps)
      if (!step) continue
      steps.set(step.step, step)
      changed.add(step.step)
      due ??= setTimeout(() => void flush(), pace)
    }
    await flush()
  } finally {
    clearTimeout(due)
  }
}

/** What any build has told is as much a secret as its stack. */
async function check(client: Client, { stack, ref, signal }: Omit<BuildsOf, 'client'> & { ref: string }) {
  for await (const news of buildHistory(client, { signal, soFar: true }))
    if (news.kind === 'known' && news.build.ref === ref && news.build.labels.get(labels.project) === stack) return
  throw new Failure('not-found', 'Nothing of that build is known any more')
}

function rowOf({ ref, names, labels: given, begun, ended, error, steps, cached }: KnownBuild): BuildRow {
  return {
    ref,
    image: names[0] ?? given.get(labels.service) ?? ref,
    begun,
    steps,
    cached,
    ...(ended !== undefined && { ended }),
    ...(error !== undefined && { error }),
  }
}

/** The step as it is after the event; undefined when that says nothing of one. */
function merged(event: BuildEvent, steps: ReadonlyMap<string, BuildStep>): BuildStep | undefined {
  if (event.kind === 'output') {
    const before = steps.get(event.step)
    if (!before) return undefined
    const output = (before.output ?? '') + Buffer.from(event.data).toString('utf8')
    return { ...before, output: output.slice(-mostOutput) }
  }
  if (event.kind !== 'step') return undefined
  const { step, name, cached, missed, started, completed, error } = event
  const output = steps.get(step)?.output
  return {
    step,
    name,
    state: stateOf(event),
    ...(missed !== undefined && !cached && { missed }),
    ...(started !== undefined && completed !== undefined && { milliseconds: Math.round(completed - started) }),
    ...(error !== undefined && { error }),
    ...(output !== undefined && { output }),
  }
}

function stateOf({ cached, started, completed, error }: BuildEvent & { kind: 'step' }): BuildStep['state'] {
  if (error !== undefined) return 'failed'
  if (cached) return 'cached'
  if (completed !== undefined) return 'done'
  return started === undefined ? 'waiting' : 'running'
}
