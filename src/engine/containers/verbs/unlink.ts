/** Takes a link away from a container: its name in inspect and, while it runs, in /etc/hosts. Its environment stays as it was started. */
import { linksOf, linkTexts } from '../config/links.ts'
import type { Container } from '../container.ts'
import { moveLink } from '../linked.ts'
import type { Parts } from '../parts.ts'

export interface UnlinkOptions {
  readonly alias: string
  /** What the link leads to. */
  readonly container: Container
  /** Writes the record. */
  readonly save: (from: Container) => Promise<void>
}

export async function unlink(parts: Parts, from: Container, { alias, container, save }: UnlinkOptions): Promise<void> {
  const { hostConfig } = from.record
  const links = linksOf(hostConfig).filter(link => link.alias !== alias)
  from.record = { ...from.record, hostConfig: { ...hostConfig, Links: linkTexts(links) } }
  await save(from)
  if (from.running) moveLink(parts, from, { alias, container })
}
