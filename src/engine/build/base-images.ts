/** The images that a Dockerfile names: each looked up once, pulled when it is not here or was asked for anew, and kept while the build needs it. */

import { Failure } from '../../lib/failure.ts'
import type { Image } from '../images/image.ts'
import type { Images } from '../images/images.ts'
import { formatPlatform, isOurs, machine, parsePlatform } from '../images/platform.ts'
import { parseReference } from '../images/reference.ts'
import type { Tell } from './contexts.ts'
import type { LayoutContext } from './dockerfile/resolve-base.ts'
import { loadLayout } from './load-layout.ts'
import type { BuildRequest } from './request.ts'

interface BaseImagesOptions {
  readonly request: BuildRequest
  readonly tell: Tell
  readonly signal: AbortSignal
  /** Called with what lets its layers go again. */
  readonly onPin: (unpin: () => void | Promise<void>) => void
}

export class BaseImages {
  readonly #images: Images
  readonly #options: BaseImagesOptions
  readonly #found = new Map<string, Promise<Image>>()
  /** What was asked for, and what was found. */
  readonly used: { readonly reference: string; readonly id: Image['id'] }[] = []

  constructor(images: Images, options: BaseImagesOptions) {
    this.#images = images
    this.#options = options
  }

  /** @throws Failure of the pull. */
  find(reference: string, platform?: string): Promise<Image> {
    const key = `${reference} ${platform ?? ''}`
    const known = this.#found.get(key)
    if (known) return known
    const { tell, onPin } = this.#options
    const finding = tell(`[internal] load metadata for ${fullName(reference)}`, async () => {
      const image = await this.#find(reference, platform)
      onPin(this.#images.store.catalogue.pin([image.id, ...image.diffIds]))
      this.used.push({ reference, id: image.id })
      return image
    })
    this.#found.set(key, finding)
    return finding
  }

  /** An image of an OCI layout of the client, which is here while the build lasts. @throws Failure of what cannot be read. */
  layout(name: string, { store, digest }: LayoutContext, platform: string): Promise<Image> {
    const key = `${store} ${digest} ${platform}`
    const known = this.#found.get(key)
    if (known) return known
    const { tell, onPin, request, signal } = this.#options
    const finding = tell(`[context ${name}] OCI load from client`, async () => {
      const { image, isNew } = await loadLayout(this.#images, digest, {
        blob: each => request.client.blob(store, each),
        signal,
      })
      checkPlatform(formatPlatform(image))
      onPin(this.#images.store.catalogue.pin([image.id, ...image.diffIds]))
      const leave = async () => {
        // somebody may have come to want it meanwhile
        const now = this.#images.find(image.id)
        if (isNew && now?.tags.length === 0) await this.#images.forget(image.id)
      }
      onPin(leave)
      return image
    })
    this.#found.set(key, finding)
    return finding
  }

  async #find(reference: string, platform: string | undefined): Promise<Image> {
    const { request, signal } = this.#options
    const here = request.pull ? undefined : this.#images.find(reference)
    if (here && (platform === undefined || fits(here, platform))) return here
    if (platform !== undefined) checkPlatform(platform)
    const auth = await request.client.auth(parseReference(reference).domain)
    return await this.#images.pull(reference, { auth, platform, signal })
  }
}

/** What cannot be run here is said before anything is fetched for it. @throws Failure `unsupported`. */
export function checkPlatform(platform: string): void {
  if (isOurs(parsePlatform(platform))) return
  const here = formatPlatform(machine())
  throw new Failure('unsupported', `Cannot build for platform "${platform}": this machine builds for ${here} alone`, {
    hint: 'Leave the platform out, or build on a machine of that platform',
  })
}

/** "docker.io/library/busybox:latest". */
function fullName(reference: string): string {
  const { domain, path, tag, digest } = parseReference(reference)
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

function fits({ os, architecture, variant }: Image, platform: string): boolean {
  return formatPlatform({ os, architecture, variant }).startsWith(platform) || platform === formatPlatform(machine())
}
