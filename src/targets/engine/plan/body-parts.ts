/** Collects members of an API body together with the stack path behind each. */

/** API field ("HostConfig.Memory", "HostConfig.Mounts[0]", "Env") → path in the stack file. */
export type Origins = Readonly<Record<string, readonly string[]>>

export class BodyParts<T extends object> {
  readonly #values: Record<string, unknown> = {}
  readonly #origins: Record<string, readonly string[]> = {}
  readonly #prefix: string

  /** `prefix`: what stands before a field's name in the origins: "HostConfig.". */
  constructor(prefix = '') {
    this.#prefix = prefix
  }

  /** Sets a member unless it says nothing: undefined, false, an empty list or record. */
  set<K extends keyof T & string>(name: K, value: T[K] | undefined, path: readonly string[]): void {
    if (value === undefined || value === false) return
    if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return
    this.keep(name, value, path)
  }

  /** Sets a member also when it is empty. */
  keep<K extends keyof T & string>(name: K, value: T[K], path: readonly string[]): void {
    this.#values[name] = value
    this.#origins[this.#prefix + name] = path
  }

  /** The path behind a part of a member: `Mounts[0]`. */
  origin(field: string, path: readonly string[]): void {
    this.#origins[this.#prefix + field] = path
  }

  get values(): T {
    return this.#values as T
  }

  get origins(): Origins {
    return this.#origins
  }
}
