/** A volume to another with the same content: by the engine itself where it can, otherwise through a container that never starts. */
import { endpoints } from '../api/endpoints.ts'
import type { Client } from '../client/client.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import { newId } from '../lib/ids.ts'

export interface Cloning {
  readonly from: string
  /** Must not be there yet. */
  readonly to: string
  readonly labels: Readonly<Record<string, string>>
  /** Any image of the engine, for the container; undefined: there is none. */
  readonly image: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Leaves nothing behind when it fails. @throws Failure */
export async function cloneVolume(client: Client, cloning: Cloning): Promise<void> {
  const { from, to, labels, signal } = cloning
  try {
    await client.call(endpoints.volumeClone, { params: { name: from }, body: { Name: to, Labels: labels } }, { signal })
    return
  } catch (error) {
    // an engine that does not know the call says that there is no such page
    if (!isFailure(error, 'not-found') && !isFailure(error, 'unsupported')) throw error
  }
  await client.call(endpoints.volumeInspect, { params: { name: from } }, { signal })
  if (await isThere(client, to)) throw new Failure('conflict', `Cannot make volume "${to}": there is one`)
  await client.call(endpoints.volumeCreate, { body: { Name: to, Labels: labels } }, { signal })
  try {
    await copy(client, cloning)
  } catch (error) {
    await client.call(endpoints.volumeRemove, { params: { name: to }, query: { force: true } })
    throw error
  }
}

async function isThere(client: Client, name: string): Promise<boolean> {
  try {
    await client.call(endpoints.volumeInspect, { params: { name } })
    return true
  } catch (error) {
    if (isFailure(error, 'not-found')) return false
    throw error
  }
}

/** Where each helper has its volume. */
const place = '/tscompose-volume'

async function copy(client: Client, { from, to, image, signal }: Cloning): Promise<void> {
  if (image === undefined)
    throw new Failure('not-found', `Cannot copy volume "${from}": the engine has no image to make a container of`, {
      hint: 'Pull one of the stack: tscompose pull',
    })
  await copyContent({ client, volume: from, image }, { client, volume: to, image }, signal)
}

/** A volume of an engine, and any image that it has. */
export interface VolumeSide {
  readonly client: Client
  readonly volume: string
  readonly image: string
}

/**
 * Owner, mode, times and hard links travel in the tar archive that engines make of a folder. A container each: while Docker reads
 * from one it lets nobody write into it.
 */
export async function copyContent(from: VolumeSide, to: VolumeSide, signal: AbortSignal | undefined): Promise<void> {
  await using source = await helper(from.client, { ...from, readOnly: true })
  await using target = await helper(to.client, { ...to, readOnly: false })
  // with the folder itself, whose owner and mode count too
  const { content } = await from.client.stream(
    endpoints.containerArchiveGet,
    { params: { id: source.id }, query: { path: place } },
    { signal },
  )
  const put = { params: { id: target.id }, query: { path: '/' }, body: content }
  await to.client.call(endpoints.containerArchivePut, put, { signal })
}

const helperLabel = 'tscompose.copy'

/** Those whose copying was killed: they keep their volume in use. */
export async function removeHelpers(client: Client, volumes: readonly string[]): Promise<void> {
  const query = { all: true, filters: { label: [helperLabel] } }
  const found = await client.call(endpoints.containerList, { query })
  for (const { Id: id, Labels } of found)
    if (volumes.includes(Labels?.[helperLabel] ?? ''))
      await client.call(endpoints.containerRemove, { params: { id }, query: { force: true } })
}

interface Helping {
  readonly volume: string
  readonly image: string
  readonly readOnly: boolean
}

type Helper = AsyncDisposable & { readonly id: string }

/** A container that is never started; removed when it is disposed of. */
async function helper(client: Client, { volume, image, readOnly }: Helping): Promise<Helper> {
  const mount = {
    Type: 'volume',
    Source: volume,
    Target: place,
    ReadOnly: readOnly,
    VolumeOptions: { NoCopy: true },
  } as const
  const { Id } = await client.call(endpoints.containerCreate, {
    query: { name: `tscompose-copy-${newId().slice(0, 12)}` },
    body: {
      Image: image,
      Entrypoint: ['/never-started'],
      Labels: { [helperLabel]: volume },
      HostConfig: { NetworkMode: 'none', Mounts: [mount] },
    },
  })
  return {
    id: Id,
    [Symbol.asyncDispose]: async () => {
      await client.call(endpoints.containerRemove, { params: { id: Id }, query: { force: true } })
    },
  }
}
