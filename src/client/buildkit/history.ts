/** The builds of a builder, whoever asked for them: those that were, those under way, and what each has told. */
import { control, type historyRecord } from '../../api/buildkit/control.ts'
import { GrpcClient } from '../../api/buildkit/grpc-client.ts'
import type { Of } from '../../api/buildkit/message.ts'
import { millisecondsOf } from '../../api/buildkit/operations.ts'
import type { Client } from '../client.ts'
import { type BuildEvent, eventsOf } from './events.ts'

export interface KnownBuild {
  readonly ref: string
  /** Of the image. */
  readonly names: readonly string[]
  /** That the image was to get. */
  readonly labels: ReadonlyMap<string, string>
  /** Milliseconds since 1970. */
  readonly begun: number
  /** Undefined while it is under way. */
  readonly ended: number | undefined
  readonly error: string | undefined
  /** Both 0 while it is under way. */
  readonly steps: number
  readonly cached: number
}

export type BuildNews =
  | { readonly kind: 'known'; readonly build: KnownBuild }
  | { readonly kind: 'removed'; readonly ref: string }

/** BuildHistoryEventType. (moby/buildkit api/services/control) */
const removed = 2

export interface HistoryOptions {
  readonly signal: AbortSignal
  /** Only what is known by now; otherwise all of that and what comes, until the signal. */
  readonly soFar?: boolean
}

/** @throws Failure of a builder that cannot be reached, or keeps no history */
export async function* buildHistory(
  client: Client,
  { signal, soFar = false }: HistoryOptions,
): AsyncGenerator<BuildNews> {
  const grpc = new GrpcClient(await client.upgrade('/grpc', { signal }))
  try {
    for await (const { type, record } of grpc.responses(control.listenBuildHistory, { earlyExit: soFar }, { signal }))
      if (record)
        yield type === removed ? { kind: 'removed', ref: record.ref } : { kind: 'known', build: knownBuild(record) }
  } finally {
    grpc.close()
  }
}

/** From its first word to its last. @throws Failure `not-found` for a build that nobody knows any more */
export async function* eventsOfBuild(client: Client, ref: string, signal: AbortSignal): AsyncGenerator<BuildEvent> {
  const grpc = new GrpcClient(await client.upgrade('/grpc', { signal }))
  try {
    for await (const status of grpc.responses(control.status, { ref }, { signal })) yield* eventsOf(status)
  } finally {
    grpc.close()
  }
}

const labelKey = 'label:'

function knownBuild(record: Of<typeof historyRecord>): KnownBuild {
  const { ref, frontendAttributes, exporters, createdAt, completedAt, error, totalSteps, cachedSteps } = record
  return {
    ref,
    names: exporters.flatMap(({ attributes }) => attributes.get('name')?.split(',') ?? []).filter(Boolean),
    labels: new Map(
      [...frontendAttributes].flatMap(([key, value]) =>
        key.startsWith(labelKey) ? [[key.slice(labelKey.length), value] as const] : [],
      ),
    ),
    begun: createdAt ? millisecondsOf(createdAt) : 0,
    ended: completedAt && millisecondsOf(completedAt),
    error: error?.message || undefined,
    steps: totalSteps,
    cached: cachedSteps,
  }
}
