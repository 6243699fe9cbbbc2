/** What a container of a stack is called and whose it is, by its labels. */
import type { ContainerSummary } from '../api/containers.ts'
import { listedName } from '../api/listed-name.ts'
import { labels } from '../targets/engine/labels.ts'

export function serviceOf(container: ContainerSummary): string {
  return container.Labels?.[labels.service] ?? ''
}

/** The replica's number; undefined for a container of `run`. */
export function numberOf(container: ContainerSummary): number | undefined {
  const text = container.Labels?.[labels.number]
  return text === undefined ? undefined : Number(text)
}

/** In the order of their names, by bytes as Go has it; an Intl.Collator would do, and take ten milliseconds to make. */
export function byName(a: ContainerSummary, b: ContainerSummary): number {
  const [one, two] = [listedName(a), listedName(b)]
  return one < two ? -1 : one > two ? 1 : 0
}

/** `a=1,b=2`, without our own bookkeeping, whose value holds commas: readers split there. */
export function labelsText(own: Readonly<Record<string, string>> | null): string {
  return Object.entries(own ?? {})
    .filter(([key]) => key !== labels.fields)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

/** The beginning of what is longer than `length`, as docker cuts it. */
export function cut(text: string, length: number): string {
  const characters = [...text]
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : text
}
