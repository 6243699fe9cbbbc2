/** ?platform= of a request, as JSON, against what an image is for: pure. */
import { Failure } from '../../lib/failure.ts'
import type { Image } from '../images/image.ts'

interface WantedPlatform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string | undefined
}

/** @throws Failure `invalid` for what is no platform, with Docker's text. */
export function parsePlatformJson(text: string | undefined): WantedPlatform | undefined {
  if (!text) return undefined
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw new Failure(
      'invalid',
      `failed to parse platform: invalid character '${text[0]}' looking for beginning of value`,
      { cause },
    )
  }
  const { os, architecture, variant } = (data ?? {}) as Record<string, unknown>
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '')
    throw new Failure('invalid', 'both OS and Architecture must be provided')
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) }
}

export function isFor(image: Image, wanted: WantedPlatform): boolean {
  return (
    image.os === wanted.os &&
    image.architecture === wanted.architecture &&
    (wanted.variant === undefined || image.variant === undefined || image.variant === wanted.variant)
  )
}

/** @throws Failure `not-found` when an image is for another one. */
export function checkPlatform(image: Image, name: string, text: string | undefined): void {
  const wanted = parsePlatformJson(text)
  if (wanted === undefined || isFor(image, wanted)) return
  throw new Failure(
    'not-found',
    `image with reference ${name} was found but its platform (${platformText(image)}) does not match the specified platform (${platformText(wanted)})`,
  )
}

export function platformText({ os, architecture, variant }: WantedPlatform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}
