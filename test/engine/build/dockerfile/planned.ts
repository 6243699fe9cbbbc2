/** A plan of a Dockerfile without an engine: images are told, contexts are names. */
import { type PlanRequest, planBuild } from '../../../../src/engine/build/dockerfile/evaluate.ts'
import type { BuildPlan, BuildWarning } from '../../../../src/engine/build/dockerfile/plan.ts'
import type { Image, ImageConfig } from '../../../../src/engine/images/image.ts'
import { machine } from '../../../../src/engine/images/platform.ts'
import { Failure } from '../../../../src/lib/failure.ts'

export const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface World extends Partial<PlanRequest> {
  /** Familiar names with a tag → their configuration; "base:1" is there always. */
  readonly images?: Readonly<Record<string, ImageConfig>>
  readonly ignored?: readonly string[]
  readonly onWarning?: (warning: BuildWarning) => void
}

export function planned(
  text: string,
  { images = {}, ignored = [], onWarning, ...request }: World = {},
): Promise<BuildPlan> {
  const known = { 'base:1': { Cmd: ['sh'], Env: [path] }, ...images }
  const asked = { args: new Map(), labels: new Map(), target: '', platform: undefined, namedContexts: new Map() }
  return planBuild(
    text,
    { ...asked, ...request },
    {
      image: async reference => {
        if (!Object.hasOwn(known, reference)) throw new Failure('not-found', `No such image: ${reference}`)
        return imageOf(reference, known[reference as keyof typeof known])
      },
      layout: noLayout,
      ignored: async () => ignored,
    },
    { ...(onWarning && { onWarning }) },
  )
}

/** Of a client that has none. */
export const noLayout = async (): Promise<Image> => {
  throw new Failure('not-found', 'no OCI layout')
}

export function imageOf(reference: string, config: ImageConfig): Image {
  const { os, architecture, variant } = machine()
  return {
    id: `sha256:${'0'.repeat(64)}`,
    tags: [reference],
    digests: [],
    parent: undefined,
    size: 0,
    created: new Date(0),
    lastTagged: undefined,
    architecture,
    os,
    variant,
    author: '',
    comment: '',
    config,
    diffIds: [],
    history: [],
  }
}
