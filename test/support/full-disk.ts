/** A disk that is full from a chosen write on: every call of node:fs that would need space below one folder. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, resolve } from 'node:path'

type Call = (...args: unknown[]) => unknown
type Calls = Record<string, Call | undefined>

/** By name, which argument is the path that takes the space. */
const makers: Readonly<Record<string, number>> = {
  mkdir: 0,
  mkdtemp: 0,
  open: 0,
  symlink: 1,
  link: 1,
  rename: 1,
  copyFile: 1,
  cp: 1,
}
/** Their errors tell no path, as those of write(2): the file was opened before. */
const fillers: Readonly<Record<string, number>> = { writeFile: 0, appendFile: 0 }
/** Of an open file. */
const handleCalls = ['write', 'writev', 'writeFile', 'appendFile'] as const

export class FullDisk implements Disposable {
  readonly #folder: string
  readonly #originals: [Calls, string, Call][] = []
  readonly #descriptors = new Map<number, string>()
  #fullFrom = Number.POSITIVE_INFINITY
  #until = Number.POSITIVE_INFINITY
  #inside = false
  /** Writes seen since it was last filled. */
  writes = 0
  /** Those that were refused, by call and path. */
  readonly refused: string[] = []

  constructor(folder: string) {
    this.#folder = `${resolve(folder)}/`
    for (const [name, at] of Object.entries({ ...makers, ...fillers })) {
      const bare = name in fillers
      this.#patch(fs.promises as unknown as Calls, name, { at, bare, refuse: error => Promise.reject(error) })
      this.#patch(fs as unknown as Calls, name, {
        at,
        bare,
        refuse: (error, args) => queueMicrotask(() => (args.at(-1) as Call)(error)),
      })
      this.#patch(fs as unknown as Calls, `${name}Sync`, {
        at,
        bare,
        refuse: error => {
          throw error
        },
      })
    }
    this.#patchDescriptors()
    syncBuiltinESMExports()
  }

  /** The `nth` write from now on is refused, and the `count` - 1 after it. */
  fill(nth: number, count = Number.POSITIVE_INFINITY): void {
    this.writes = 0
    this.refused.length = 0
    this.#fullFrom = nth
    this.#until = nth + count
  }

  free(): void {
    this.#fullFrom = Number.POSITIVE_INFINITY
  }

  /** The error of a write that finds no room; undefined when it may go on. */
  #refusal(name: string, path: string, bare: boolean): Error | undefined {
    this.writes++
    if (this.writes < this.#fullFrom || this.writes >= this.#until) return undefined
    this.refused.push(`${name} ${path}`)
    const call = bare ? 'write' : `${name} '${path}'`
    const error = new Error(`ENOSPC: no space left on device, ${call}`)
    return Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: bare ? 'write' : name, ...(!bare && { path }) })
  }

  #replace(holder: Calls, name: string, by: (original: Call) => Call): void {
    const original = holder[name]
    if (original === undefined) return
    this.#originals.push([holder, name, original])
    holder[name] = by(original)
  }

  #patch(
    holder: Calls,
    name: string,
    { at, bare, refuse }: { at: number; bare: boolean; refuse: (error: Error, args: unknown[]) => unknown },
  ): void {
    this.#replace(holder, name, original => (...args) => {
      const isOurs = this.#needsSpace(name, args, at)
      const error = isOurs ? this.#refusal(name, String(args[at]), bare) : undefined
      if (error) return refuse(error, args)
      const result = this.#alone(() => original.apply(holder, args))
      if (!isOurs || !name.startsWith('open')) return result
      if (typeof result === 'number') this.#descriptors.set(result, String(args[at]))
      return result instanceof Promise ? result.then(handle => this.#watched(handle, String(args[at]))) : result
    })
  }

  /** A call that makes others is one write. */
  #alone<T>(call: () => T): T {
    if (this.#inside) return call()
    this.#inside = true
    try {
      return call()
    } finally {
      this.#inside = false
    }
  }

  /** An open file of promises. */
  #watched(handle: Calls, path: string): Calls {
    for (const name of handleCalls) {
      const original = handle[name]!
      handle[name] = (...args) => {
        const error = this.#refusal(name, path, true)
        return error ? Promise.reject(error) : original.apply(handle, args)
      }
    }
    return handle
  }

  #patchDescriptors(): void {
    this.#replace(fs as unknown as Calls, 'writeSync', original => (...args) => {
      const path = this.#inside ? undefined : this.#descriptors.get(args[0] as number)
      const error = path === undefined ? undefined : this.#refusal('writeSync', path, true)
      if (error) throw error
      return original.apply(fs, args)
    })
    this.#replace(fs as unknown as Calls, 'closeSync', original => (...args) => {
      this.#descriptors.delete(args[0] as number)
      return original.apply(fs, args)
    })
  }

  #needsSpace(name: string, args: readonly unknown[], at: number): boolean {
    const path = args[at]
    if (this.#inside) return false
    // an entry that goes and one that comes in the same folder
    if (name.startsWith('rename') && dirname(String(args[0])) === dirname(String(args[1]))) return false
    if (typeof path !== 'string' || !resolve(path).startsWith(this.#folder)) return false
    if (/^mkdir(Sync)?$/.test(name)) return !fs.existsSync(path)
    if (!/^open(Sync)?$/.test(name)) return true
    const flags = args[1]
    return typeof flags === 'string' ? /[wa+]/.test(flags) : typeof flags === 'number' && (flags & 3) !== 0
  }

  [Symbol.dispose](): void {
    for (const [holder, name, original] of this.#originals) holder[name] = original
    syncBuiltinESMExports()
  }
}
