/** Gives a container another name; its record, its DNS names and its events follow. */
import { Failure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'

export interface RenameOptions {
  readonly name: string
  /** Takes the new name and gives the old one back. @throws Failure `conflict` when it is taken. */
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
    name = options.reserve(bare)
  } catch (error) {
    if (error instanceof Failure && error.kind === 'conflict')
      throw new Failure('conflict', `Error when allocating new name: ${error.message}`, { cause: error })
    throw error
  }
  container.record = { ...container.record, name }
  await options.save(container)
  if (container.state.attachments.length > 0) {
    parts.networks.rename(container.id, name)
    container.note({ attachments: [...parts.networks.attachments(container.id)] })
    await container.save()
  }
  tell(parts, container, 'rename', { oldName })
}
