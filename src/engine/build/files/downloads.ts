/** Files that ADD has fetched from web servers, kept so that one that has not changed is asked about and not fetched again. */
import { createHash, hash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { chmod, link, mkdtemp, open, readFile, rename, rm, utimes } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { basename, join, posix } from 'node:path'
import { z } from 'zod'
import { errnoOf, Failure, messageOf } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import { KeyedLock } from '../../base/keyed-lock.ts'
import { spareRoom } from '../../images/unpack-limits.ts'
import type { Fetched } from '../copy-request.ts'
import { httpGet, type ProxySettings, shown } from './http-get.ts'

const knownSchema = z.object({
  name: z.string(),
  digest: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
})
type Known = z.infer<typeof knownSchema>

export interface DownloadOptions {
  /** Gets the file: a folder that goes with the step, so that what is kept may be thrown away meanwhile. */
  readonly folder: HostPath
  /** "sha256:…" that it has to have. */
  readonly checksum: string | undefined
  readonly proxy: ProxySettings
  readonly signal: AbortSignal
}

export interface DownloadLimits {
  /** Of one file. */
  readonly bytes: number
  /** Of all that are kept; the ones that were asked for longest ago go first. */
  readonly kept: number
}

export interface KeptDownload {
  readonly id: string
  readonly size: number
  /** Milliseconds since 1970, as `created`. */
  readonly used: number
  readonly created: number
}

const defaultLimits: DownloadLimits = { bytes: 16 * 1024 ** 3, kept: 2 * 1024 ** 3 }
const record = 'known.json'
const content = 'content'

/** One folder a file: what is known of it, and its content. */
export class Downloads {
  readonly #folder: HostPath
  readonly #limits: DownloadLimits
  /** Two builds may want the same file. */
  readonly #lock = new KeyedLock()

  /** `folder` belongs to it alone, and is made when it is needed. */
  constructor(folder: HostPath, limits: Partial<DownloadLimits> = {}) {
    this.#folder = folder
    this.#limits = { ...defaultLimits, ...limits }
  }

  /**
   * The file as it is now. Its time is what the server says, or the epoch; its mode 0600.
   * @throws Failure `not-found` and others by what the server answers, `invalid` for another checksum or too many bytes.
   */
  async get(address: string, options: DownloadOptions): Promise<Fetched> {
    const url = URL.parse(address)
    if (url === null || !/^https?:$/.test(url.protocol))
      throw new Failure('invalid', `Cannot download ${JSON.stringify(address)}: it is no address of a web server`)
    const place = join(this.#folder, hash('sha256', url.href))
    return await this.#lock.run(place, async () => await this.#get(url, place, options))
  }

  async #get(url: URL, place: HostPath, options: DownloadOptions): Promise<Fetched> {
    const known = await readKnown(place)
    // what has the checksum that is asked for is the file, whatever the server has now
    if (known !== undefined && options.checksum === known.digest) return await this.#kept(place, known, options)
    const { url: end, response } = await httpGet(url, {
      headers: { 'User-Agent': 'tscompose', 'Accept-Encoding': 'identity', ...validators(known) },
      proxy: options.proxy,
      signal: options.signal,
    })
    try {
      if (response.statusCode === 304 && known !== undefined)
        return await this.#kept(place, checked(known, options, url), options)
      if (response.statusCode !== 200) throw statusFailure(url, response)
      const fresh = await this.#store(place, response, { url, end, options })
      const fetched = await handedOver(place, fresh, options)
      this.#tidy()
      return fetched
    } finally {
      response.destroy()
    }
  }

  list(): readonly KeptDownload[] {
    return this.#all().map(({ path, ...rest }) => ({ id: basename(path), ...rest }))
  }

  /** False when it is not kept any more. */
  async remove(id: string): Promise<boolean> {
    const found = this.#all().find(({ path }) => basename(path) === id)
    if (found === undefined) return false
    await this.#lock.run(found.path, async () => await rm(found.path, { recursive: true, force: true }))
    return true
  }

  async #store(
    place: HostPath,
    response: IncomingMessage,
    { url, end, options }: { readonly url: URL; readonly end: URL; readonly options: DownloadOptions },
  ): Promise<Known> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const made = await mkdtemp(join(this.#folder, 'new-'))
    try {
      const path = join(made, content)
      const digest = await this.#receive(path, response, { url, signal: options.signal })
      const { etag, 'last-modified': lastModified } = response.headers
      const known = checked({ name: nameOf(url, end, response), digest, etag, lastModified }, options, url)
      const time = Date.parse(lastModified ?? '')
      await chmod(path, 0o600)
      await utimes(path, Number.isNaN(time) ? 0 : time / 1000, Number.isNaN(time) ? 0 : time / 1000)
      const file = await open(join(made, record), 'wx', 0o600)
      await file.writeFile(JSON.stringify(known))
      await file.close()
      await rm(place, { recursive: true, force: true })
      await rename(made, place)
      return known
    } catch (error) {
      await rm(made, { recursive: true, force: true })
      throw error
    }
  }

  async #receive(
    path: HostPath,
    response: IncomingMessage,
    { url, signal }: { readonly url: URL; readonly signal: AbortSignal },
  ): Promise<string> {
    const most = Math.min(this.#limits.bytes, (await spareRoom(this.#folder)).bytes)
    const tooLarge = () => new Failure('invalid', `Cannot download "${shown(url)}": it has more than ${most} bytes`)
    if (Number(response.headers['content-length'] ?? 0) > most) throw tooLarge()
    const sum = createHash('sha256')
    const file = await open(path, 'wx', 0o600)
    try {
      let size = 0
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > most) throw tooLarge()
        sum.update(chunk)
        await file.writeFile(chunk)
      }
    } catch (cause) {
      if (cause instanceof Failure) throw cause
      signal.throwIfAborted()
      throw new Failure('unavailable', `Cannot download "${shown(url)}": ${messageOf(cause)}`, { cause })
    } finally {
      await file.close()
    }
    return `sha256:${sum.digest('hex')}`
  }

  async #kept(place: HostPath, known: Known, options: DownloadOptions): Promise<Fetched> {
    const now = Date.now() / 1000
    await utimes(join(place, record), now, now)
    return await handedOver(place, known, options)
  }

  #tidy(): void {
    let size = 0
    for (const each of this.#all().sort((a, b) => b.used - a.used)) {
      size += each.size
      if (size > this.#limits.kept) rmSync(each.path, { recursive: true, force: true })
    }
  }

  #all(): (Omit<KeptDownload, 'id'> & { readonly path: HostPath })[] {
    let names: readonly string[] = []
    try {
      names = readdirSync(this.#folder)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
    return names.flatMap(name => {
      const path = join(this.#folder, name)
      const known = statSync(join(path, record), { throwIfNoEntry: false })
      const file = statSync(join(path, content), { throwIfNoEntry: false })
      return known && file ? [{ path, size: file.size, used: known.mtimeMs, created: known.birthtimeMs }] : []
    })
  }
}

async function handedOver(place: HostPath, { name, digest }: Known, { folder }: DownloadOptions): Promise<Fetched> {
  const path = join(folder, content)
  await link(join(place, content), path)
  return { path, name, digest }
}

/** Undefined when it is not kept, or its record is of nobody's making. */
async function readKnown(place: HostPath): Promise<Known | undefined> {
  try {
    return knownSchema.parse(JSON.parse(await readFile(join(place, record), 'utf8')))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof z.ZodError || error instanceof SyntaxError) return undefined
    throw error
  }
}

function validators(known: Known | undefined): Readonly<Record<string, string>> {
  if (known?.etag !== undefined) return { 'If-None-Match': known.etag }
  return known?.lastModified === undefined ? {} : { 'If-Modified-Since': known.lastModified }
}

function checked(known: Known, { checksum }: DownloadOptions, url: URL): Known {
  if (checksum === undefined || checksum === known.digest) return known
  throw new Failure('invalid', `Cannot use "${shown(url)}": digest mismatch ${known.digest}: ${checksum}`)
}

function statusFailure(url: URL, { statusCode = 0 }: IncomingMessage): Failure {
  const kind = statusCode === 404 || statusCode === 410 ? 'not-found' : statusCode < 500 ? 'denied' : 'unavailable'
  return new Failure(kind, `Cannot download "${shown(url)}": invalid response status ${statusCode}`)
}

/** The last part of the address; of one that has none, what the server calls the file. */
function nameOf(url: URL, end: URL, response: IncomingMessage): string {
  const said = /filename="?([^";]+)"?/i.exec(response.headers['content-disposition'] ?? '')?.[1]
  for (const each of [lastPart(url), said && basename(said.trim()), lastPart(end)])
    if (each && each !== '.' && each !== '..' && !/[\0/]/.test(each)) return each
  return '__unnamed__'
}

function lastPart({ pathname }: URL): string {
  try {
    return posix.basename(decodeURIComponent(pathname))
  } catch {
    // per cent signs that stand for themselves
    return posix.basename(pathname)
  }
}
