/** Which names and whether the image itself go when a reference is removed; Docker's rules and texts, decided before anything changes. */
import { Failure } from '../../lib/failure.ts'
import { shortId } from '../../lib/ids.ts'
import type { Image } from './image.ts'
import { familiar, familiarName, parseReference } from './reference.ts'

/** A container that uses an image; `running` counts paused and restarting too. */
export interface ImageUser {
  readonly id: string
  readonly name: string
  readonly running: boolean
}

export interface Removal {
  readonly untag: readonly string[]
  /** The image and what only it refers to. */
  readonly remove: boolean
}

/**
 * @param text what the user wrote: an id (or its prefix) or a name.
 * @throws Failure `conflict` with Docker's texts.
 */
export function decideRemoval(text: string, image: Image, users: readonly ImageUser[], force: boolean): Removal {
  const isId = image.id.slice('sha256:'.length).startsWith(text.replace(/^sha256:/, ''))
  return isId ? byId(image, users, force) : byName(text, image, users, force)
}

function byName(text: string, image: Image, users: readonly ImageUser[], force: boolean): Removal {
  const reference = parseReference(text)
  const name = reference.digest === undefined ? familiar(reference) : `${familiarName(reference)}@${reference.digest}`
  const repository = familiarName(reference)
  // digests go with the last tag of their repository
  const otherTags = image.tags.filter(tag => tag !== name && repositoryOf(tag) === repository)
  const orphaned = otherTags.length > 0 ? [] : image.digests.filter(digest => repositoryOf(digest) === repository)
  const untag = [...new Set([name, ...orphaned])]
  const left = [...image.tags, ...image.digests].filter(each => !untag.includes(each))
  if (left.length > 0) return { untag, remove: false }
  const user = users[0]
  if (user !== undefined && !force) {
    throw new Failure(
      'conflict',
      `conflict: unable to remove repository reference "${text}" (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
    )
  }
  // what a running container stands on stays, without a name
  return { untag, remove: !users.some(each => each.running) }
}

function byId(image: Image, users: readonly ImageUser[], force: boolean): Removal {
  const conflict = (how: 'must be forced' | 'cannot be forced', why: string) =>
    new Failure('conflict', `conflict: unable to delete ${shortId(image.id)} (${how}) - ${why}`)
  const running = users.find(user => user.running)
  if (running) {
    throw conflict('cannot be forced', `image is being used by running container ${shortId(running.id)}`)
  }
  const repositories = new Set([...image.tags, ...image.digests].map(repositoryOf))
  if (!force) {
    if (repositories.size > 1 || image.tags.length > 1) {
      throw conflict('must be forced', 'image is referenced in multiple repositories')
    }
    const stopped = users[0]
    if (stopped) throw conflict('must be forced', `image is being used by stopped container ${shortId(stopped.id)}`)
  }
  return { untag: [...image.tags, ...image.digests], remove: true }
}

function repositoryOf(name: string): string {
  return familiarName(parseReference(name))
}
