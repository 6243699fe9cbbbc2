/** Gives a container another name; its record, its DNS names and its events follow. */
import { Failure } from '../../../lib/failure.ts'
import { linksOf, linkTexts } from '../config/links.ts'
import type { Container, ContainerRecord } from '../container.ts'
import { linksTo } from '../linked.ts'
import { type Parts, tell } from '../parts.ts'

export interface RenameOptions {
  readonly name: string
  /** Takes the new name. @throws Failure `invalid` for one that is none, `conflict` when it is taken. */
  readonly reserve: (name: string) => string
  /** Writes the record. */
  readonly save: (container: Container) => Promise<void>
}

export async function rename(parts: Parts, container: Container, options: RenameOptions): Promise<void> {
  if (options.name === '') throw new Failure('invalid', 'Neither old nor new names may be empty')
  const bare = options.name.replace(/^\//, '')
  if (bare === container.name)
    throw new Failure('invalid', 'Renaming a container with the same name as its current name')
  const oldName = `/${container.name}`
  let name: string
  try {
    name = options.reserve(options.name)
  } catch (error) {
    if (error instanceof Failure)
      throw new Failure(error.kind, `Error when allocating new name: ${error.message}`, { cause: error })
    throw error
  }
  const linked = linksTo(parts, container)
  container.record = { ...container.record, name }
  await options.save(container)
  for (const { from } of linked) {
    from.record = withRenamed(from.record, { from: oldName.slice(1), to: name })
    await options.save(from)
  }
  if (container.state.attachments.length > 0) {
    parts.networks.rename(container.id, name)
    container.note({ attachments: [...parts.networks.attachments(container.id)] })
    await container.save()
  }
  tell(parts, container, 'rename', { oldName })
}

/** A container's links name others, so they follow. */
function withRenamed(
  record: ContainerRecord,
  { from, to }: { readonly from: string; readonly to: string },
): ContainerRecord {
  const links = linksOf(record.hostConfig).map(link => (link.ref === from ? { ...link, ref: to } : link))
  return { ...record, hostConfig: { ...record.hostConfig, Links: linkTexts(links) } }
}
