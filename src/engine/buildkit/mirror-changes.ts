/** What a mirror holds, and what its client has → what is to be done to the mirror. */
import type { FileEntry } from './file-entry.ts'

/** A copy's entry; `kind` may be 'other' for what no client sends. */
export type KnownEntry = Omit<FileEntry, 'kind'> & { readonly kind: FileEntry['kind'] | 'other' }

export interface MirrorChanges {
  /** What goes, topmost first; what is in a folder of the list is not named itself. */
  readonly removed: readonly string[]
  /** What is made new, in order; a file's content is to be fetched. */
  readonly made: readonly FileEntry[]
  /** What only gets another mode, time or attributes. */
  readonly touched: readonly FileEntry[]
}

/**
 * A file is the same while size and time are: as BuildKit compares, and rsync. Nanoseconds are compared only by microseconds,
 * since that is how exactly Node can set them.
 */
export function mirrorChanges(known: ReadonlyMap<string, KnownEntry>, sent: readonly FileEntry[]): MirrorChanges {
  const made: FileEntry[] = []
  const touched: FileEntry[] = []
  const replaced = new Set<string>()
  const kept = new Set<string>()
  for (const entry of sent) {
    const old = known.get(entry.path)
    if (old !== undefined && sameContent(old, entry) && !(entry.kind === 'hardlink' && replaced.has(entry.link))) {
      kept.add(entry.path)
      if (!sameLook(old, entry)) touched.push(entry)
    } else {
      replaced.add(entry.path)
      made.push(entry)
    }
  }
  const removed: string[] = []
  let inside = '\0'
  const gone = known.size === kept.size ? [] : [...known.keys()].filter(path => !kept.has(path))
  for (const path of gone.sort(byTree)) {
    if (path.startsWith(inside)) continue
    removed.push(path)
    inside = `${path}/`
  }
  return { removed, made, touched }
}

function sameContent(old: KnownEntry, entry: FileEntry): boolean {
  if (old.kind !== entry.kind || old.link !== entry.link) return false
  return entry.kind !== 'file' || (old.size === entry.size && sameTime(old.modified, entry.modified))
}

function sameLook(old: KnownEntry, entry: FileEntry): boolean {
  return (
    old.mode === entry.mode &&
    (entry.kind === 'hardlink' || sameTime(old.modified, entry.modified)) &&
    old.xattrs.size === entry.xattrs.size &&
    [...entry.xattrs].every(([name, value]) => old.xattrs.get(name)?.equals(value))
  )
}

function sameTime(a: bigint, b: bigint): boolean {
  const apart = a - b
  return apart < 1000n && apart > -1000n
}

/** A folder before what is in it, and that before its neighbours. */
function byTree(a: string, b: string): number {
  const [x, y] = [a.replaceAll('/', '\0'), b.replaceAll('/', '\0')]
  return x < y ? -1 : x > y ? 1 : 0
}
