/** Lists as an API server gives them: all of their objects, or what they are called and who has them. */
import type { IncomingMessage } from 'node:http'

export type Stored = Record<string, unknown> & { metadata: Record<string, unknown> & { name: string } }

interface Listing {
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

export function listed(all: readonly Stored[], { query, headers }: Listing, version: number): object {
  const labels = selectorOf(query)
  const isHead = headers.accept?.includes('as=PartialObjectMetadataList') === true
  const items = all.filter(stored => matches(stored, labels)).map(isHead ? headOf : itemOf)
  return {
    kind: isHead ? 'PartialObjectMetadataList' : 'List',
    metadata: { resourceVersion: String(version) },
    items: isHead && items.length === 0 ? null : items,
  }
}

export function selectorOf(query: URLSearchParams): Readonly<Record<string, string>> {
  const text = query.get('labelSelector')
  return text === null ? {} : Object.fromEntries(text.split(',').map(pair => pair.split('=') as [string, string]))
}

export function matches({ metadata }: Stored, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(
    ([key, value]) => (metadata['labels'] as Record<string, string> | undefined)?.[key] === value,
  )
}

function itemOf({ apiVersion: _, kind: _1, owner: _2, ...item }: Stored): object {
  return item
}

function headOf({ metadata }: Stored): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}
