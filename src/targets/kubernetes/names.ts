/** Names that a cluster takes (RFC 1123 and, for Services, RFC 1035 labels) for names that a stack may choose. */
import { hash } from 'node:crypto'

/** What CronJobs and StatefulSets leave for the names of what they make. */
const longest = 52
const plain = /^[a-z]([-a-z0-9]*[a-z0-9])?$/

/** The name itself where it is one, otherwise what is left of it and a hash of it: "My_Web" → "my-web-5b1c2a". */
export function objectName(name: string, atMost = longest): string {
  if (plain.test(name) && name.length <= atMost) return name
  const rest = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, atMost - 7)
    .replace(/-+$/, '')
  return `${rest || 'x'}-${hash('sha256', name).slice(0, 6)}`
}

/** A name that stands for a content too: "shop-page-0123456789". */
export function contentName(name: string, sha256: string): string {
  return `${objectName(name)}-${sha256.slice(0, 10)}`
}

/** Of a network or volume: "shop-data" where the engine's name for it is "shop_data", otherwise that of its `name`. */
export function partName(project: string, { key, name }: { readonly key: string; readonly name: string }): string {
  return objectName(name === `${project}_${key}` ? `${project}-${key}` : name)
}
