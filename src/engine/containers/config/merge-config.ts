/** The body of a create and the image's own configuration → the container's Config: pure. */
import { posix } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import { parsePortKey } from '../../../lib/ports.ts'
import { signalNumber } from '../../../lib/signals.ts'
import type { Config, Healthcheck } from './config.ts'
import { mergeEnvironment } from './environment.ts'

type Maybe<T> = T | null | undefined
type Set = Readonly<Record<string, unknown>>

/** What of an image's configuration matters here; Docker's OCI names. */
export interface ImageDefaults {
  readonly User?: Maybe<string>
  readonly Env?: Maybe<readonly string[]>
  readonly Cmd?: Maybe<readonly string[]>
  readonly Entrypoint?: Maybe<readonly string[]>
  readonly WorkingDir?: Maybe<string>
  readonly ExposedPorts?: Maybe<Set>
  readonly Volumes?: Maybe<Set>
  readonly Labels?: Maybe<Readonly<Record<string, string>>>
  readonly Healthcheck?: Maybe<Healthcheck>
  readonly StopSignal?: Maybe<string>
  readonly Shell?: Maybe<readonly string[]>
}

/** What of a create's body matters here. */
export interface ConfigRequest extends ImageDefaults {
  readonly Hostname?: Maybe<string>
  readonly Domainname?: Maybe<string>
  readonly AttachStdin?: Maybe<boolean>
  readonly AttachStdout?: Maybe<boolean>
  readonly AttachStderr?: Maybe<boolean>
  readonly Tty?: Maybe<boolean>
  readonly OpenStdin?: Maybe<boolean>
  readonly StdinOnce?: Maybe<boolean>
  readonly Image?: Maybe<string>
  readonly StopTimeout?: Maybe<number>
}

/** "7000" → "7000/tcp". @throws Failure `invalid` for what is no port. */
export function normalPort(port: string): string {
  const parsed = parsePortKey(port)
  if (!parsed || parsed.range[0] !== parsed.range[1])
    throw new Failure('invalid', `invalid port specification: "${port}"`)
  return `${parsed.range[0]}/${parsed.protocol}`
}

/** What the kernel takes (uname(2)) and a line of /etc/hosts bears. */
const utsName = /^[a-zA-Z0-9_.-]{1,64}$/

/** @throws Failure `invalid` when nothing is left to run, or a value is malformed. */
export function mergeConfig(body: ConfigRequest, image: ImageDefaults, options: { readonly hostname: string }): Config {
  const { entrypoint, cmd } = commandOf(body, image)
  if (!entrypoint?.length && !cmd?.length) throw new Failure('invalid', 'no command specified')
  const exposed = [...Object.keys(image.ExposedPorts ?? {}), ...Object.keys(body.ExposedPorts ?? {})].map(normalPort)
  const healthcheck = mergeHealthcheck(body.Healthcheck, image.Healthcheck)
  const stopSignal = body.StopSignal || image.StopSignal
  if (stopSignal && signalNumber(stopSignal) === undefined)
    throw new Failure('invalid', `invalid signal: ${stopSignal}`)
  if (body.Hostname && !utsName.test(body.Hostname))
    throw new Failure('invalid', `invalid hostname format: ${body.Hostname}`)
  if (body.Domainname && !utsName.test(body.Domainname))
    throw new Failure('invalid', `invalid domain name format: ${body.Domainname}`)
  if (body.WorkingDir && !body.WorkingDir.startsWith('/'))
    throw new Failure(
      'invalid',
      `the working directory '${body.WorkingDir}' is invalid, it needs to be an absolute path`,
    )
  const env = body.Env ?? []
  for (const entry of env)
    if (entry === '' || entry.startsWith('=') || entry.includes('\0'))
      throw new Failure('invalid', `invalid environment variable: ${entry}`)
  const volumes = { ...image.Volumes, ...body.Volumes }
  return {
    Hostname: body.Hostname || options.hostname,
    Domainname: body.Domainname ?? '',
    User: body.User || image.User || '',
    AttachStdin: body.AttachStdin ?? false,
    AttachStdout: body.AttachStdout ?? false,
    AttachStderr: body.AttachStderr ?? false,
    ...(exposed.length > 0 && {
      ExposedPorts: Object.fromEntries([...new Set(exposed)].sort().map(port => [port, {}])),
    }),
    Tty: body.Tty ?? false,
    OpenStdin: body.OpenStdin ?? false,
    StdinOnce: body.StdinOnce ?? false,
    Env: mergeEnvironment(env, image.Env ?? []),
    Cmd: cmd && [...cmd],
    Healthcheck: healthcheck,
    Image: body.Image ?? '',
    Volumes: Object.keys(volumes).length > 0 ? volumes : null,
    WorkingDir: cleanPath(body.WorkingDir || image.WorkingDir || ''),
    Entrypoint: entrypoint && [...entrypoint],
    OnBuild: null,
    Labels: { ...image.Labels, ...body.Labels },
    StopSignal: stopSignal || undefined,
    StopTimeout: body.StopTimeout ?? undefined,
    ...((body.Shell ?? image.Shell) && { Shell: [...(body.Shell ?? image.Shell ?? [])] }),
  }
}

/** "/a/../b//c/" → "/b/c". */
function cleanPath(path: string): string {
  return path === '' ? '' : posix.normalize(path).replace(/(.)\/$/, '$1')
}

/**
 * An entrypoint of the author's drops the image's command; an empty one, `[]`, drops the image's entrypoint and leaves its command, and
 * `[""]` drops both. A request that says nothing has both of the image.
 */
function commandOf(body: ConfigRequest, image: ImageDefaults) {
  const own = body.Entrypoint
  const cmd = body.Cmd?.length ? body.Cmd : null
  if (own?.length === 1 && own[0] === '') return { entrypoint: null, cmd }
  if (own?.length) return { entrypoint: own, cmd }
  const entrypoint = own ?? (image.Entrypoint?.length ? image.Entrypoint : null)
  return { entrypoint, cmd: cmd ?? image.Cmd ?? null }
}

/** Unset members come from the image; NONE stays, so that inspect shows it as disabled. */
function mergeHealthcheck(own: Maybe<Healthcheck>, image: Maybe<Healthcheck>): Healthcheck | undefined {
  if (!own) return image ?? undefined
  const merged: Healthcheck = own.Test?.length ? own : { ...image, ...withoutEmpty(own) }
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = merged[name]
    if (value !== undefined && value !== 0 && value < 1_000_000)
      throw new Failure('invalid', `${name} in Healthcheck cannot be less than 1ms`)
  }
  if ((merged.Retries ?? 0) < 0) throw new Failure('invalid', 'Retries in Healthcheck cannot be negative')
  if (!merged.Test?.length) return undefined
  const kind = merged.Test[0]
  if (kind !== 'NONE' && kind !== 'CMD' && kind !== 'CMD-SHELL')
    throw new Failure('invalid', `invalid healthcheck: Test starts with "${kind}", it should be NONE, CMD or CMD-SHELL`)
  return merged
}

function withoutEmpty(config: Healthcheck): Partial<Healthcheck> {
  return Object.fromEntries(
    Object.entries(config).filter(
      ([, value]) =>
        value !== null && value !== undefined && value !== 0 && !(Array.isArray(value) && value.length === 0),
    ),
  )
}
