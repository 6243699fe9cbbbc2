/** What a log tells of its container beside what that prints: the tag, and the labels and variables that were asked for. Pure. */
import { Failure, messageOf } from '../../lib/failure.ts'
import { evaluate } from '../../template/evaluate.ts'
import { functions } from '../../template/functions.ts'
import { parseTemplate } from '../../template/syntax.ts'
import { matcher } from './patterns.ts'

/** HostConfig.LogConfig.Config. */
export type LogOptions = Readonly<Record<string, string>>

/** A container, as its log knows it. */
export interface LogInfo {
  readonly id: string
  readonly name: string
  readonly imageId: string
  readonly imageName: string
  /** As `docker inspect` has it: RFC 3339. */
  readonly created: string
  readonly path: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly hostname: string
  readonly logPath: string
  readonly options: LogOptions
}

const functionNames = new Set([...Object.keys(functions), 'and', 'or'])
const shortId = 12

/** What a template of `tag` may name: the fields and methods of Docker's logger.Info. */
function fields(info: LogInfo): object {
  return {
    ID: info.id.slice(0, shortId),
    FullID: info.id,
    Name: info.name,
    ImageID: info.imageId.slice(0, shortId),
    ImageFullID: info.imageId,
    ImageName: info.imageName,
    Command: [info.path, ...info.args].join(' '),
    Hostname: info.hostname,
    // what reads logs of a Docker Engine looks for it by this name
    DaemonName: 'docker',
    Config: mapOf(info.options),
    ContainerID: info.id,
    ContainerName: `/${info.name}`,
    ContainerEntrypoint: info.path,
    ContainerArgs: info.args,
    ContainerImageID: info.imageId,
    ContainerImageName: info.imageName,
    ContainerCreated: info.created,
    ContainerEnv: info.env,
    ContainerLabels: mapOf(info.labels),
    LogPath: info.logPath,
    // its only argument is a function, and a template can give none but nil
    ExtraAttributes: (_: unknown) => mapOf(extraAttributes(info)),
  }
}

function mapOf(record: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(record))
}

/** The tag, by `tag` or by `usual`. @throws Failure `invalid` for a template that does not work out. */
export function tagOf(info: LogInfo, usual = ''): string {
  const source = info.options['tag'] || usual
  if (!source.includes('{{')) return source
  try {
    return evaluate(parseTemplate(source, functionNames), fields(info), functions)
  } catch (cause) {
    throw new Failure('invalid', `invalid value for option tag: ${messageOf(cause)}`, { cause })
  }
}

/** Labels and variables by `labels`, `labels-regex`, `env` and `env-regex`; a later kind wins. @throws Failure `invalid` for a pattern. */
export function extraAttributes({ options, labels, env }: LogInfo): Record<string, string> {
  const variables = Object.fromEntries(
    env.flatMap(entry => {
      const at = entry.indexOf('=')
      return at < 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]]
    }),
  )
  return {
    ...chosen(labels, options['labels'], options['labels-regex']),
    ...chosen(variables, options['env'], options['env-regex']),
  }
}

function chosen(all: Readonly<Record<string, string>>, names = '', pattern = ''): Record<string, string> {
  const named = new Set(names.split(','))
  const matches = pattern === '' ? () => false : matcher(pattern)
  return Object.fromEntries(Object.entries(all).filter(([name]) => named.has(name) || matches(name)))
}

/** What stands in each record of a json-file log. @throws as `tagOf` and `extraAttributes`. */
export function recordAttributes(info: LogInfo): Record<string, string> {
  const tag = tagOf(info)
  return { ...extraAttributes(info), ...(tag !== '' && { tag }) }
}

/** Works a tag and patterns out for a container that might be. @throws Failure `invalid`. */
export function checkAttributes(options: LogOptions): void {
  recordAttributes({
    id: '0'.repeat(64),
    name: 'name',
    imageId: `sha256:${'0'.repeat(64)}`,
    imageName: 'image',
    created: '1970-01-01T00:00:00Z',
    path: '/bin/true',
    args: [],
    env: [],
    labels: {},
    hostname: 'host',
    logPath: '',
    options,
  })
}
