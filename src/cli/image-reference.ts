/** The name of an image to be made, taken apart as the engine wants it. */

/** `shop/base:1` → repository and tag; the colon of a registry's port is none. */
export function splitReference(reference: string | undefined): { repo?: string; tag?: string } {
  if (reference === undefined) return {}
  const colon = reference.lastIndexOf(':')
  return colon > reference.lastIndexOf('/')
    ? { repo: reference.slice(0, colon), tag: reference.slice(colon + 1) }
    : { repo: reference }
}
