/** Ids as Docker makes them: 64 lower-case hex digits, shown as the first twelve. */
import { randomBytes, randomInt } from 'node:crypto'

/** A new random id. Never all digits in its first twelve, which a client would take for a number. */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex')
    if (/[a-f]/.test(id.slice(0, 12))) return id
  }
}

/** Begins with a digit: a name such as "db" or "cafe" is then never the beginning of an id, and so never refused as one. */
export function newContainerId(): string {
  for (;;) {
    const id = newId()
    if (/^\d/.test(id)) return id
  }
}

export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}

const adjectives =
  'amber bold brisk calm clear crisp dapper eager early fair fleet fond gentle glad grand hardy keen kind lively loyal lucid mellow merry neat nimble noble plain polite prime proud quick quiet ready rosy sharp silent solid steady stout sunny swift tidy trusty vivid warm wise witty'.split(
    ' ',
  )
const nouns =
  'alder anchor aspen badger beacon birch bison breeze brook canyon cedar comet condor coral crane delta dune ember falcon fern finch fjord garnet glacier harbor heron island juniper kestrel lagoon lark laurel linden lynx maple marten meadow osprey otter pebble pine puffin quartz raven reef ridge river sparrow spruce summit tern thicket tundra walnut willow wren'.split(
    ' ',
  )

/** A readable container name for one that was given none: "keen_heron". */
export function randomName(): string {
  return `${adjectives[randomInt(adjectives.length)]}_${nouns[randomInt(nouns.length)]}`
}
