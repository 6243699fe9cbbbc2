/** What a builder thinks of a Dockerfile, in a line or two. */
import type { BuildEvent } from '../../client/buildkit/events.ts'

/** "Dockerfile:3 JSONArgsRecommended: …", with the address that says more. */
export function warningText({ text, url, source }: BuildEvent & { kind: 'warning' }): string {
  const line = source?.ranges[0]?.first
  const place = source === undefined ? '' : `${source.file}${line === undefined ? '' : `:${line}`} `
  return `${place}${line === undefined ? text : text.replace(/ \(line \d+\)$/, '')}${url === '' ? '' : `\n  ${url}`}`
}
