/** A picture of all stacks to share: one HTML file that any browser opens, without scripts, with the data it was made of in it. */
import type { StackModel, StackState, Trouble } from '../wire.ts'

export interface Snapshot {
  readonly version: 1
  /** RFC 3339. */
  readonly taken: string
  readonly engine: string
  readonly stacks: readonly StackState[]
  readonly troubles: readonly Trouble[]
  /** By stack, where its files could be read. */
  readonly models: Readonly<Record<string, Pick<StackModel, 'services' | 'findings' | 'problems'>>>
  /** By stack: its last lines. */
  readonly logs: Readonly<Record<string, readonly SnapshotLine[]>>
}

export interface SnapshotLine {
  readonly time: number | undefined
  readonly service: string
  readonly text: string
}

const marker = 'tscompose-snapshot'

/** `body`: how it looks, as HTML that was made of elements and so is well-formed; `style`: of the pages. */
export function snapshotHtml(
  snapshot: Snapshot,
  { body, style }: { readonly body: string; readonly style: string },
): string {
  // nothing in it ends the element that holds it
  const data = JSON.stringify(snapshot).replace(
    /[<>&\u2028\u2029]/g,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const policy = "default-src 'none'; style-src 'unsafe-inline'"
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="content-security-policy" content="${policy}"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Stacks, ${snapshot.taken}</title>
<style>${style.replaceAll('</', '<\\/')}</style></head>
<body><main>${body}</main>
<script type="application/json" id="${marker}">${data}</script></body></html>
`
}

/** The data in a snapshot file. @throws Error when it is none */
export function readSnapshot(text: string): Snapshot {
  const found = new RegExp(`<script type="application/json" id="${marker}">([^<]*)</script>`).exec(text)
  let data: unknown
  try {
    data = JSON.parse(found?.[1] ?? text)
  } catch {
    throw new Error('This is no snapshot of stacks')
  }
  if (!isSnapshot(data)) throw new Error('This is no snapshot of stacks')
  return data
}

function isSnapshot(data: unknown): data is Snapshot {
  if (typeof data !== 'object' || data === null) return false
  const { version, taken, stacks, troubles, logs } = data as Readonly<Record<string, unknown>>
  if (version !== 1 || typeof taken !== 'string' || !Array.isArray(stacks) || !Array.isArray(troubles)) return false
  if (typeof logs !== 'object' || logs === null) return false
  return stacks.every(each => typeof each === 'object' && each !== null && Array.isArray((each as StackState).services))
}
