/** The options of `run` put onto a service: what is run once is the service, with these few things otherwise. */

import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { ContainerCreate, PortBinding } from '../api/container-body.ts'
import { parsePortRange, portsOf } from '../lib/ports.ts'
import type { Service } from '../model/service.ts'
import { usage } from './options.ts'

export interface Override {
  readonly command: readonly string[]
  readonly entrypoint: string | undefined
  /** NAME=VALUE. */
  readonly env: readonly string[]
  readonly labels: readonly string[]
  readonly user: string | undefined
  readonly workdir: string | undefined
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly servicePorts: boolean
  readonly tty: boolean
  readonly interactive: boolean
}

/** The service as it runs this once: no ports unless asked for, no restart, no name of its own. */
export function oneOffService(service: Service, override: Override): Service {
  const { containerName: _own, ...rest } = service
  const pairs = override.env.map(each => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)] as const)
  const labels = override.labels.map(each =>
    each.includes('=')
      ? ([each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)] as const)
      : ([each, ''] as const),
  )
  return {
    ...rest,
    replicas: 1,
    ports: override.servicePorts ? service.ports : [],
    restart: { kind: 'no' },
    tty: override.tty,
    stdinOpen: override.interactive,
    environment: { ...service.environment, ...Object.fromEntries(pairs) },
    labels: { ...service.labels, ...Object.fromEntries(labels) },
    capAdd: [...service.capAdd.filter(each => !override.capDrop.includes(each)), ...override.capAdd],
    capDrop: [...service.capDrop.filter(each => !override.capAdd.includes(each)), ...override.capDrop],
    ...(override.command.length > 0 ? { command: override.command } : {}),
    // an entrypoint of its own does not go with the command of another
    ...(override.entrypoint === undefined
      ? {}
      : { entrypoint: override.entrypoint === '' ? [] : words(override.entrypoint), command: override.command }),
    ...(override.user === undefined ? {} : { user: override.user }),
    ...(override.workdir === undefined ? {} : { workingDir: override.workdir }),
  }
}

/** The body with -v, -p and --rm put in. */
export function withMounts(
  body: ContainerCreate,
  {
    volumes,
    publish,
    remove,
    cwd,
    interactive,
    detach,
  }: {
    readonly volumes: readonly string[]
    readonly publish: readonly string[]
    readonly remove: boolean
    readonly cwd: string
    readonly interactive: boolean
    readonly detach: boolean
  },
): ContainerCreate {
  const ports = publish.flatMap(parsePublish)
  const bindings: Record<string, PortBinding[]> = {}
  for (const { target, binding } of ports) bindings[target] = [...(bindings[target] ?? []), binding]
  const binds = volumes.filter(each => each.includes(':')).map(each => absolute(each, cwd))
  const anonymous = volumes.filter(each => !each.includes(':'))
  return {
    ...body,
    AttachStdin: interactive && !detach,
    AttachStdout: !detach,
    AttachStderr: !detach,
    StdinOnce: interactive && !detach,
    ExposedPorts: { ...body.ExposedPorts, ...Object.fromEntries(ports.map(({ target }) => [target, {}])) },
    Volumes: { ...body.Volumes, ...Object.fromEntries(anonymous.map(path => [path, {}])) },
    HostConfig: {
      ...body.HostConfig,
      AutoRemove: remove,
      Binds: [...(body.HostConfig?.Binds ?? []), ...binds],
      PortBindings: { ...body.HostConfig?.PortBindings, ...bindings },
    },
  }
}

/** The source of a bind made absolute; a bare name is a volume. */
function absolute(volume: string, cwd: string): string {
  const colon = volume.indexOf(':')
  const source = volume.slice(0, colon)
  const rest = volume.slice(colon)
  if (source === '~' || source.startsWith('~/')) return `${homedir()}${source.slice(1)}${rest}`
  return source.startsWith('.') || source.includes('/') ? `${resolve(cwd, source)}${rest}` : volume
}

/** `[[address:]host:]container[/protocol]`, ranges of the same length on both sides. */
export function parsePublish(text: string): readonly { readonly target: string; readonly binding: PortBinding }[] {
  const match = /^(?:(?:(\[[^\]]+\]|[^:[\]]*):)?([\d-]*):)?([\d-]+)(?:\/(tcp|udp|sctp))?$/.exec(text)
  if (!match) throw usage(`Cannot publish "${text}": it should be [[ADDRESS:]PORT:]PORT[/PROTOCOL]`)
  const [, address, host = '', ports = '', protocol = 'tcp'] = match
  const inside = range(text, ports)
  const outside = host === '' ? inside.map(() => '') : range(text, host)
  if (outside.length !== inside.length) throw usage(`Cannot publish "${text}": its ranges have different lengths`)
  return inside.map((port, i) => ({
    target: `${port}/${protocol}`,
    binding: { HostIp: (address ?? '').replace(/^\[|\]$/g, ''), HostPort: String(outside[i]) },
  }))
}

function range(text: string, ports: string): number[] {
  const parsed = parsePortRange(ports)
  if (!parsed || parsed[0] === 0) throw usage(`Cannot publish "${text}": ports are 1 to 65535`)
  return portsOf(parsed)
}

/** A command line in one string: words, with quotes and backslashes as in sh, and nothing else of it. */
export function words(text: string): string[] {
  const found: string[] = []
  const pattern = /\s*((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)\s*/gsy
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (!match) throw usage(`Cannot read "${text}": a quote is not closed`)
    found.push(
      match[1]!.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_, escaped, double, single) =>
        escaped !== undefined ? escaped : double !== undefined ? double.replace(/\\(["\\$`])/g, '$1') : single,
      ),
    )
  }
  return found
}
