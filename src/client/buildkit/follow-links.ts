/** The paths that a builder wants of a folder, with what symbolic links on the way lead to. (fsutil: followlinks) */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { pathMatcher } from '../../api/ignore-patterns.ts'

/** More than these are none that a Dockerfile asks for. */
const maxPaths = 100_000

/**
 * `paths` and the targets of links among them, as patterns; without those that another one holds already. Links lead to places inside
 * the root, as they will in the build. Undefined when all of it is wanted.
 */
export function followed(root: Buffer, paths: readonly string[]): readonly string[] | undefined {
  const resolver = new Resolver(root.toString())
  for (const path of paths) resolver.add(path)
  const found = [...resolver.resolved].sort()
  if (found.includes('.')) return undefined
  return found.filter(path => !found.some(other => path.startsWith(`${other}/`)))
}

class Resolver {
  readonly #root: string
  readonly resolved = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  add(path: string): void {
    const names = relative(path).split('/')
    let current = ''
    for (const [i, name] of names.entries()) {
      current = posix.join(current, name)
      const targets = this.#targets(current)
      const last = i === names.length - 1
      // been here
      if ((last || targets.length > 0) && this.resolved.has(current)) return
      if (targets.length > 0 || last) {
        if (this.resolved.size >= maxPaths) return
        this.resolved.add(current)
        for (const target of targets) this.add(posix.join(target, ...names.slice(i + 1)))
        return
      }
    }
  }

  /** Of a link at this path, or of those that its last name matches. */
  #targets(path: string): readonly string[] {
    const base = posix.basename(path)
    if (!/[*?[]/.test(base)) return this.#target(path)
    const folder = posix.dirname(path)
    const matcher = pathMatcher([base])
    return namesIn(posix.join(this.#root, folder))
      .filter(name => matcher.matches(name))
      .flatMap(name => this.#target(posix.join(folder, name)))
  }

  #target(path: string): readonly string[] {
    const at = posix.join(this.#root, path)
    try {
      if (!lstatSync(at).isSymbolicLink()) return []
      const target = readlinkSync(at)
      return [posix.isAbsolute(target) ? target : posix.join('/', posix.dirname(path), target)]
    } catch {
      // not there: the build says so of what it really needs
      return []
    }
  }
}

/** Inside the root, however many `..` it has. */
function relative(path: string): string {
  return posix.join('/', path).slice(1).replace(/\/$/, '') || '.'
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // no folder: nothing there matches
    return []
  }
}
