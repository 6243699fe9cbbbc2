/** Which names and which images go when a reference is removed; Docker's rules and texts, decided before anything changes: pure. */
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

export type RemovedImage = { readonly Untagged: string } | { readonly Deleted: string }

/** What the decision rests on. */
export interface Surroundings {
  usersOf(id: string): readonly ImageUser[]
  childrenOf(id: string): readonly Image[]
  parentOf(image: Image): Image | undefined
}

export interface RemovalOptions {
  readonly force: boolean
  /** Parents that have no name and no use left stay. */
  readonly noprune: boolean
}

export interface Removal {
  /** Names of the image that was asked for. */
  readonly untag: readonly string[]
  /** Images that go with what only they refer to: that one, then its parents. */
  readonly remove: readonly Image[]
}

/**
 * @param text what the user wrote: an id (or its prefix) or a name.
 * @throws Failure `conflict` with Docker's texts.
 */
export function decideRemoval(
  text: string,
  image: Image,
  around: Surroundings,
  { force, noprune }: RemovalOptions,
): Removal {
  const isId = image.id.slice('sha256:'.length).startsWith(text.replace(/^sha256:/, ''))
  const names = [...image.tags, ...image.digests]
  const untag = isId ? (isSingleReference(image) ? names : []) : namesOf(text, image)
  const left = names.filter(name => !untag.includes(name))
  const user = around.usersOf(image.id)[0]
  if (!isId && !force && user !== undefined && isSingleReference(image)) {
    throw new Failure(
      'conflict',
      `conflict: unable to remove repository reference "${text}" (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
    )
  }
  if (!isId && left.length > 0) return { untag, remove: [] }
  const why = obstacle(image, around, { names: left.length, force })
  if (why !== undefined) {
    // a name was taken: that the image itself must stay is no error
    if (!isId && (why.used || around.childrenOf(image.id).length > 0)) return { untag, remove: [] }
    const how = why.hard ? 'cannot be forced' : 'must be forced'
    throw new Failure('conflict', `conflict: unable to delete ${shortId(image.id)} (${how}) - ${why.text}`)
  }
  return { untag: names, remove: noprune ? [image] : [image, ...doomedParents(image, around)] }
}

/** The name itself, and with the last tag of a repository its digests. */
function namesOf(text: string, image: Image): readonly string[] {
  const reference = parseReference(text)
  const repository = familiarName(reference)
  if (reference.digest !== undefined) return [`${repository}@${reference.digest}`]
  const name = familiar(reference)
  const others = image.tags.filter(tag => tag !== name && repositoryOf(tag) === repository)
  const orphaned = others.length > 0 ? [] : image.digests.filter(digest => repositoryOf(digest) === repository)
  return [name, ...orphaned]
}

/** At most one tag, and digests of its repository only. */
function isSingleReference({ tags, digests }: Image): boolean {
  if (tags.length + digests.length <= 1) return true
  return tags.length <= 1 && new Set([...tags, ...digests].map(repositoryOf)).size === 1
}

interface Obstacle {
  readonly text: string
  readonly hard: boolean
  /** By a container. */
  readonly used: boolean
}

function obstacle(
  image: Image,
  around: Surroundings,
  { names, force }: { readonly names: number; readonly force: boolean },
): Obstacle | undefined {
  const users = around.usersOf(image.id)
  const running = users.find(user => user.running)
  if (around.childrenOf(image.id).length > 0)
    return { text: 'image has dependent child images', hard: true, used: false }
  if (running) {
    return { text: `image is being used by running container ${shortId(running.id)}`, hard: true, used: true }
  }
  if (force) return undefined
  if (names > 0) return { text: 'image is referenced in multiple repositories', hard: false, used: false }
  const stopped = users[0]
  if (stopped === undefined) return undefined
  return { text: `image is being used by stopped container ${shortId(stopped.id)}`, hard: false, used: true }
}

/** Up from the image that goes, as long as nothing else holds them. */
function doomedParents(image: Image, around: Surroundings): readonly Image[] {
  const doomed: Image[] = []
  for (let child = image, parent = around.parentOf(child); parent !== undefined; parent = around.parentOf(child)) {
    const kept = parent.tags.length + parent.digests.length > 0 || around.usersOf(parent.id).length > 0
    const gone = child.id
    if (kept || around.childrenOf(parent.id).some(({ id }) => id !== gone)) return doomed
    doomed.push(parent)
    child = parent
  }
  return doomed
}

function repositoryOf(name: string): string {
  return familiarName(parseReference(name))
}
