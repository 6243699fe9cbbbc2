/** What an image is: its record in the index, and the parts of Docker's configuration that the engine reads. */
import { z } from 'zod'
import { type Digest, isDigest } from './digest.ts'

const strings = z.array(z.string()).nullish()
const set = z.record(z.string(), z.unknown()).nullish()

/** Durations in nanoseconds. */
const healthcheckSchema = z.looseObject({
  Test: strings,
  Interval: z.number().nullish(),
  Timeout: z.number().nullish(),
  StartPeriod: z.number().nullish(),
  StartInterval: z.number().nullish(),
  Retries: z.number().nullish(),
})

/** The `config` member of an image configuration: the defaults of a container made from it. Unknown members are kept. */
export const imageConfigSchema = z.looseObject({
  User: z.string().nullish(),
  ExposedPorts: set,
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  Volumes: set,
  WorkingDir: z.string().nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z.string().nullish(),
  StopTimeout: z.number().nullish(),
  Healthcheck: healthcheckSchema.nullish(),
  Shell: strings,
  OnBuild: strings,
})
export type ImageConfig = z.infer<typeof imageConfigSchema>

export const digestSchema = z.custom<Digest>(value => typeof value === 'string' && isDigest(value))

const historySchema = z.looseObject({
  created: z.string().nullish(),
  created_by: z.string().nullish(),
  author: z.string().nullish(),
  comment: z.string().nullish(),
  empty_layer: z.boolean().nullish(),
})
export type ImageHistory = z.infer<typeof historySchema>

/** The whole configuration document, whose digest is the image's id. */
export const imageDocumentSchema = z.looseObject({
  architecture: z.string().default(''),
  os: z.string().default('linux'),
  variant: z.string().nullish(),
  created: z.string().nullish(),
  author: z.string().nullish(),
  comment: z.string().nullish(),
  docker_version: z.string().nullish(),
  config: imageConfigSchema.nullish(),
  // what was committed, by us or by a Docker Engine; no reason to refuse an image
  container: z.string().optional().catch(undefined),
  container_config: imageConfigSchema.nullish().catch(undefined),
  rootfs: z.looseObject({
    type: z.literal('layers').default('layers'),
    diff_ids: z
      .array(z.string())
      .nullable()
      .transform(list => list ?? []),
  }),
  history: z.array(historySchema).nullish(),
})
export type ImageDocument = z.infer<typeof imageDocumentSchema>

/** An image of the store; replaced, never changed, when its tags do. */
export interface Image {
  readonly id: Digest
  /** Familiar, sorted by their full names: "docker/app:1", "busybox:latest". */
  readonly tags: readonly string[]
  /** Where it was pulled from: "127.0.0.1:5000/app@sha256:…". */
  readonly digests: readonly string[]
  /** The image it was made from here. */
  readonly parent: Digest | undefined
  /** Bytes of all files of all layers. */
  readonly size: number
  readonly created: Date
  readonly lastTagged: Date | undefined
  readonly architecture: string
  readonly os: string
  readonly variant: string | undefined
  readonly author: string
  readonly comment: string
  readonly config: ImageConfig
  /** The container that it was committed from, and how that was configured. */
  readonly committed?: { readonly container: string; readonly config: ImageConfig | undefined } | undefined
  /** Lowest first. */
  readonly diffIds: readonly Digest[]
  readonly history: readonly ImageHistory[]
}
