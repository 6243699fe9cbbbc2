/** The result of a build as a definition that its client may hand back as the input of another: one source, whose identifier is ours. */
import { createHash } from 'node:crypto'
import type { From, Of } from '../../api/buildkit/message.ts'
import { type definition, operation } from '../../api/buildkit/operations.ts'
import { Failure } from '../../lib/failure.ts'

const scheme = 'tscompose-image://'

/** Of an image's id. */
export function definitionOf(image: string): From<typeof definition> {
  const source = operation.encode({ source: { identifier: `${scheme}${image}` } })
  const digest = digestOf(source)
  const result = operation.encode({ inputs: [{ digest, index: 0 }] })
  const described = { description: new Map([['llb.customname', image]]) }
  return {
    def: [source, result],
    metadata: new Map([
      [digest, described],
      [digestOf(result), described],
    ]),
  }
}

/** The image's id. @throws Failure `unsupported` for a definition that is not ours. */
export function inputOf({ def }: Of<typeof definition>): string {
  const sources = def.map(bytes => operation.decode(bytes).source?.identifier).filter(id => id !== undefined)
  const [only, ...others] = sources
  if (only === undefined || others.length > 0 || !only.startsWith(scheme)) throw refuseLlb()
  return only.slice(scheme.length)
}

export function refuseLlb(): Failure {
  return new Failure('unsupported', 'Cannot build from LLB: this engine builds Dockerfiles only')
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
