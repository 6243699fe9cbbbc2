/** A container's configuration as it is kept and shown: Docker's Config with every default filled in. */
import { z } from 'zod'

const strings = z.array(z.string())
const map = z.record(z.string(), z.string())
const set = z.record(z.string(), z.unknown())

/** Durations in nanoseconds; Test is `["NONE"]`, `["CMD", …]`, `["CMD-SHELL", text]` or empty to inherit. */
export const healthcheckSchema = z.looseObject({
  Test: strings.nullish(),
  Interval: z.number().optional(),
  Timeout: z.number().optional(),
  Retries: z.number().optional(),
  StartPeriod: z.number().optional(),
  StartInterval: z.number().optional(),
})
export type Healthcheck = z.infer<typeof healthcheckSchema>

export const configSchema = z.looseObject({
  Hostname: z.string(),
  Domainname: z.string(),
  User: z.string(),
  AttachStdin: z.boolean(),
  AttachStdout: z.boolean(),
  AttachStderr: z.boolean(),
  ExposedPorts: set.optional(),
  Tty: z.boolean(),
  OpenStdin: z.boolean(),
  StdinOnce: z.boolean(),
  Env: strings,
  Cmd: strings.nullable(),
  Healthcheck: healthcheckSchema.optional(),
  Image: z.string(),
  Volumes: set.nullable(),
  WorkingDir: z.string(),
  Entrypoint: strings.nullable(),
  MacAddress: z.string().optional(),
  OnBuild: z.null(),
  Labels: map,
  StopSignal: z.string().optional(),
  StopTimeout: z.number().optional(),
  Shell: strings.optional(),
})
export type Config = z.infer<typeof configSchema>
