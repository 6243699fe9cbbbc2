/** The run root of an engine → the name on all that it makes on this machine, so that engines side by side tell theirs apart. */
import { createHash } from 'node:crypto'
import { posix, resolve } from 'node:path'

/** What the kernel takes for an interface's name. */
const longestInterface = 15

/** The engine of the machine has the plain name, each further one a mark of its own. */
export class EngineName {
  /** What another engine's processes and bridges are called, by what it is called in full; undefined for what is no name of an engine. */
  static shortOf(full: string): string | undefined {
    const [, mark] = /^tscompose(?:_([0-9a-f]{8}))?$/.exec(full) ?? [undefined, null]
    return mark === null ? undefined : `tsc${mark?.slice(0, 4) ?? ''}`
  }

  /** Its cgroup, its nft table, its rules in other tables: "tscompose" or "tscompose_1a2b3c4d". */
  readonly full: string
  /** The beginning of what must be short: "tsc" or "tsc1a2b". */
  readonly short: string
  readonly #veth: string

  constructor(runRoot: string, defaultRunRoot: string) {
    const mark = createHash('sha256').update(resolve(runRoot)).digest('hex')
    const isPlain = resolve(runRoot) === resolve(defaultRunRoot)
    this.full = isPlain ? 'tscompose' : `tscompose_${mark.slice(0, 8)}`
    this.short = isPlain ? 'tsc' : `tsc${mark.slice(0, 4)}`
    this.#veth = isPlain ? 'veth' : `v${mark.slice(0, 4)}`
  }

  /** A container's cgroup, below each hierarchy's mount: below the engine's own, or below one that somebody chose. */
  cgroup(containerId: string, parent = ''): string {
    const above = posix.normalize(`/${parent}`).replace(/^\/|\/$/g, '')
    return `${above || this.full}/${containerId}`
  }

  /** A file below the folder of network namespaces. */
  sandbox(containerId: string): string {
    return `${this.short}-${containerId.slice(0, 12)}`
  }

  /** A folder in memory. */
  get secrets(): string {
    return `.${this.full}-secrets`
  }

  bridge(networkId: string): string {
    return `${this.bridges}${networkId}`.slice(0, longestInterface)
  }

  /** What the names of all its bridges begin with, unless somebody chose another. */
  get bridges(): string {
    return `${this.short}-`
  }

  /** The host end of an endpoint's veth pair. */
  veth(endpointId: string): string {
    return `${this.#veth}${endpointId}`.slice(0, longestInterface)
  }

  /** What all of those begin with. */
  get veths(): string {
    return this.#veth
  }
}
