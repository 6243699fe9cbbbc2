/** The files that a build's client brings: each context once, with what its own .dockerignore leaves out. */

import { parseIgnoreFile } from '../../api/ignore-patterns.ts'
import { Failure } from '../../lib/failure.ts'
import { readTreeFile } from '../base/merged-tree.ts'
import type { Source } from './build-failure.ts'
import type { FilesSource } from './copy-request.ts'
import type { BuildRequest } from './request.ts'

/** More than anybody writes by hand. */
const largestFile = 4 * 1024 * 1024

const transferring = 'transferring context:'

/** Where a context is fetched that the client does not have: from a remote place. */
export type FetchContext = (url: string) => Promise<string>

export class Contexts {
  readonly #request: BuildRequest
  readonly #fetch: FetchContext
  readonly #tell: Tell
  readonly #contexts = new Map<string, Promise<FilesSource>>()
  #remote: Promise<string> | undefined
  #ignored: Promise<readonly string[]> | undefined

  constructor(request: BuildRequest, { fetch, tell }: { readonly fetch: FetchContext; readonly tell: Tell }) {
    this.#request = request
    this.#fetch = fetch
    this.#tell = tell
  }

  /** @throws Failure `not-found` when there is none. */
  async dockerfile(): Promise<Source> {
    const { dockerfile: name } = this.#request
    return await this.#tell(`[internal] load build definition from ${name.split('/').at(-1)}`, async progress => {
      const text = await this.#text(name, progress('transferring dockerfile:'))
      if (text === undefined)
        throw new Failure('not-found', `failed to read dockerfile: open ${name}: no such file or directory`)
      return { name, text: text.toString('utf8').replace(/^\ufeff/, '') }
    })
  }

  /**
   * By its name, or "context" for the one the build was called with. At least `paths` and what they lead to are there; none is all.
   * Each is fetched once: all of a build ask for the same paths.
   */
  source(name: string, paths: readonly string[]): Promise<FilesSource> {
    const known = this.#contexts.get(name)
    if (known !== undefined) return known
    const loading = name === 'context' ? this.#main(paths) : this.#named(name, paths)
    this.#contexts.set(name, loading)
    return loading
  }

  /** Patterns that keep files out of the context the build was called with. */
  ignored(): Promise<readonly string[]> {
    return (this.#ignored ??= this.#loadIgnored())
  }

  /** A file of the Dockerfile's folder; undefined when there is none. */
  async #text(path: string, onProgress?: (bytes: number) => void): Promise<Buffer | undefined> {
    const { client, namedContexts } = this.#request
    const follow = [path, `${path}.dockerignore`]
    // a Dockerfile of the client's own, for a context of another place
    const own = namedContexts.get('dockerfile')?.kind === 'local'
    const folder =
      (own ? undefined : await this.#remoteMain()) ??
      (await client.context('dockerfile', { exclude: [], follow, ...(onProgress && { onProgress }) }))
    return readTreeFile([folder], path, largestFile)
  }

  async #loadIgnored(): Promise<readonly string[]> {
    const remote = await this.#remoteMain()
    const { client, dockerfile } = this.#request
    return await this.#tell('[internal] load .dockerignore', async progress => {
      const own = await this.#text(`${dockerfile}.dockerignore`)
      if (own !== undefined) return parseIgnoreFile(own.toString('utf8'))
      const wanted = { exclude: [], follow: ['.dockerignore'], onProgress: progress(transferring) }
      const folder = remote ?? (await client.context('context', wanted))
      return ignored(folder)
    })
  }

  async #main(follow: readonly string[]): Promise<FilesSource> {
    const exclude = await this.ignored()
    const remote = await this.#remoteMain()
    if (remote !== undefined) return { layers: [remote], exclude }
    return await this.#tell('[internal] load build context', async progress => {
      const wanted = { exclude, follow, onProgress: progress(transferring) }
      return { layers: [await this.#request.client.context('context', wanted)], exclude }
    })
  }

  async #named(name: string, follow: readonly string[]): Promise<FilesSource> {
    const { client, namedContexts } = this.#request
    const given = namedContexts.get(name.toLowerCase())
    if (given?.kind === 'remote') {
      const folder = await this.#tell(`[context ${name}] load from ${given.url}`, () => this.#fetch(given.url))
      return { layers: [folder], exclude: ignored(folder) }
    }
    const called = given?.kind === 'local' ? given.name : name
    return await this.#tell(`[context ${name}] load from client`, async progress => {
      const exclude = ignored(await client.context(called, { exclude: [], follow: ['.dockerignore'] }))
      const wanted = { exclude, follow, onProgress: progress(`transferring ${name}:`) }
      return { layers: [await client.context(called, wanted)], exclude }
    })
  }

  /** The main context, when it is of another place than the client. */
  async #remoteMain(): Promise<string | undefined> {
    const main = this.#request.namedContexts.get('context')
    if (main?.kind !== 'remote') return undefined
    this.#remote ??= this.#tell(`[internal] load remote build context`, () => this.#fetch(main.url))
    return await this.#remote
  }
}

function ignored(folder: string): readonly string[] {
  const text = readTreeFile([folder], '.dockerignore', largestFile)
  return text === undefined ? [] : parseIgnoreFile(text.toString('utf8'))
}

/** Runs work and tells of it under a name, and how far a part of it is. */
export type Tell = <T>(name: string, work: (progress: PartProgress) => Promise<T>) => Promise<T>

/** Of a part ("transferring context:", as BuildKit has it), the bytes so far. */
export type PartProgress = (part: string) => (bytes: number) => void
