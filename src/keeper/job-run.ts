/** One run of a job: a container of its own, from its creation to what it has printed last. */
import type { ContainerCreate } from '../api/container-body.ts'
import { containerEndpoints } from '../api/containers.ts'
import { run } from '../apply/run.ts'
import type { Client } from '../client/client.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { createOneOff } from '../targets/engine/converge.ts'
import { labels } from '../targets/engine/labels.ts'
import { oneOffName } from '../targets/engine/plan/names.ts'
import { keeperPerformer } from './performer.ts'

/** Lines, and characters of each, that are remembered. */
const lastLines = 20
const longestLine = 500

export interface Ended {
  readonly exitCode: number
  readonly output: readonly string[]
}

export interface OneRun {
  readonly client: Client
  readonly project: Project
  readonly service: string
  /** 64 hex digits. */
  readonly id: string
}

export interface Running extends OneRun {
  /** Its place has been taken: it is not started any more. */
  isReplaced(): boolean
}

/** @throws Failure when it cannot be started; what was made of it is gone then. */
export async function runJob(
  { client, project, service: name, id, isReplaced }: Running,
  signal: AbortSignal,
): Promise<Ended> {
  const service = { ...project.services[name]!, restart: { kind: 'no' }, replicas: 1 } as const
  const container = containerOf({ project, service: name, id })
  try {
    await createOneOff({
      client,
      project,
      signal,
      carryOut: plan => run(plan, keeperPerformer(client), { signal }),
      // what it depends on is held beside it; it waits for that, and starts nothing
      noDeps: true,
      awaitsDeps: true,
      removeOrphans: false,
      quietOrphans: true,
      oneOff: { service, slug: id, name: undefined, useAliases: false, pull: undefined, change: marked },
    })
    if (isReplaced()) throw new Failure('cancelled', 'the next run has taken its place')
    await client.call(containerEndpoints.containerStart, { params: { id: container } })
    // whoever took its place then may have found nothing that runs
    if (isReplaced()) await stopJob(client, container)
  } catch (error) {
    await removed(client, container)
    throw error
  }
  return await followJob(client, container, signal)
}

/** Waits for the end of a run whose container is there, and takes that away. @throws Failure `not-found` when it is not */
export async function followJob(client: Client, container: string, signal: AbortSignal): Promise<Ended> {
  const params = { id: container }
  const waiting = await client.stream(containerEndpoints.containerWait, { params }, { signal })
  let exitCode = 0
  for await (const { StatusCode } of waiting) exitCode = StatusCode
  const output = await printed(client, container)
  await removed(client, container)
  return { exitCode, output }
}

/** A run of a job, and not one of a person's. */
function marked(body: ContainerCreate): ContainerCreate {
  return { ...body, Labels: { ...body.Labels, [labels.job]: '1' } }
}

export function containerOf({ project, service, id }: Omit<OneRun, 'client'>): string {
  return oneOffName(project, service, id)
}

export async function stopJob(client: Client, container: string): Promise<void> {
  try {
    await client.call(containerEndpoints.containerStop, { params: { id: container } })
  } catch (error) {
    // it has ended by itself
    if (!isFailure(error, 'not-found')) throw error
  }
}

async function removed(client: Client, container: string): Promise<void> {
  try {
    await client.call(containerEndpoints.containerRemove, {
      params: { id: container },
      query: { force: true, v: true },
    })
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
  }
}

async function printed(client: Client, container: string): Promise<readonly string[]> {
  const query = { stdout: true, stderr: true, tail: String(lastLines) }
  let text = ''
  try {
    const output = await client.stream(containerEndpoints.containerLogs, { params: { id: container }, query })
    for await (const { data } of output) text = `${text}${Buffer.from(data).toString('utf8')}`.slice(-64 * 1024)
  } catch (error) {
    // a logging driver that keeps nothing
    if (!isFailure(error)) throw error
  }
  return text
    .split(/\r?\n/)
    .filter(line => line !== '')
    .slice(-lastLines)
    .map(line => line.slice(0, longestLine))
}
