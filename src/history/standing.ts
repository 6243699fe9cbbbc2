/** What stands still for a snapshot that is being taken: written down before, so that it goes on though whoever takes it is killed. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { endpoints } from '../api/endpoints.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import { list } from '../lib/text.ts'
import { readDocument, writeDocument } from '../state/document.ts'
import { projectFolder, type StateOf } from '../state/folder.ts'
import { removeHelpers } from './clone-volume.ts'

const version = 1

export interface Still {
  /** The snapshot's name. */
  readonly snapshot: string
  readonly how: 'paused' | 'stopped'
  /** Ids of containers that ran before. */
  readonly containers: readonly string[]
  /** Volumes that are copied. */
  readonly volumes: readonly string[]
  /** Volumes that are the snapshot's, once it is whole. */
  readonly copies: readonly string[]
}

export class Standing {
  readonly #path: string

  constructor(project: string, of: StateOf) {
    this.#path = join(projectFolder(project, of), 'snapshot-under-way.json')
  }

  /** Undefined: nothing stands still. */
  read(): Still | undefined {
    const found = readDocument(this.#path, version)
    if (!found) return undefined
    const { snapshot, how, containers, volumes, copies } = found
    return {
      snapshot: String(snapshot),
      how: how === 'stopped' ? 'stopped' : 'paused',
      containers: texts(containers),
      volumes: texts(volumes),
      copies: texts(copies),
    }
  }

  begin(still: Still): void {
    writeDocument(this.#path, JSON.stringify({ version, ...still }))
  }

  end(): void {
    rmSync(this.#path, { force: true })
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

export interface Left {
  readonly client: Client
  readonly standing: Standing
  /** Whether there is a snapshot of that name. */
  has(snapshot: string): boolean
  tell(text: string): void
}

/**
 * Lets go on what a snapshot has left standing whose taker is gone, and removes the copies of one that is not whole. To be called
 * by whoever has the project to itself: then nobody takes one.
 */
export async function goOn({ client, standing, has, tell }: Left): Promise<void> {
  const still = standing.read()
  if (!still) return
  const names: string[] = []
  for (const id of still.containers) {
    const name = await resumed(client, id, still.how)
    if (name !== undefined) names.push(name)
  }
  await removeHelpers(client, [...still.volumes, ...still.copies])
  if (!has(still.snapshot))
    for (const name of still.copies)
      await unlessGone(client.call(endpoints.volumeRemove, { params: { name }, query: { force: true } }))
  standing.end()
  const which =
    names.length === 0
      ? ''
      : `: ${list(names)} ${still.how === 'paused' ? 'was paused' : 'had been stopped'} for it, and goes on`
  tell(`Snapshot ${still.snapshot} was broken off${which}`)
}

/** The name of one that did stand still. */
async function resumed(client: Client, id: string, how: Still['how']): Promise<string | undefined> {
  const params = { id }
  const found = await unlessGone(client.call(endpoints.containerInspect, { params }))
  if (!found || (how === 'paused' ? !found.State.Paused : found.State.Running)) return undefined
  await unlessGone(client.call(how === 'paused' ? endpoints.containerUnpause : endpoints.containerStart, { params }))
  return found.Name.replace(/^\//, '')
}

async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isFailure(error, 'not-found')) return undefined
    throw error
  }
}
