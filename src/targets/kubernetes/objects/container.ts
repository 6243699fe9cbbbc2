/** The container of a service's pods, and those that run before it. */
import { bareCapability } from '../../../lib/capabilities.ts'
import type { Hook, Service } from '../../../model/service.ts'
import { filled, filledMap, given } from '../../members.ts'
import type { JsonMap } from '../manifest.ts'
import { objectName } from '../names.ts'
import type { Input } from './given-input.ts'
import { probes } from './probes.ts'
import { bytesQuantity, cpuQuantity } from './quantities.ts'

export function container(input: Input, service: Service, volumeMounts: readonly JsonMap[]): JsonMap {
  return given<JsonMap>({
    name: objectName(service.name),
    image: input.images.get(service.name),
    imagePullPolicy: pullPolicy(service),
    command: texts(service.entrypoint),
    args: texts(service.command),
    workingDir: service.workingDir,
    env: environment(service.environment),
    ports: filled(containerPorts(service)),
    resources: resources(input, service),
    volumeMounts: filled(volumeMounts),
    ...probes(service),
    lifecycle: lifecycle(input, service),
    securityContext: security(input, service),
    stdin: service.stdinOpen || undefined,
    tty: service.tty || undefined,
  })
}

/** A cluster replaces $(NAME) in what it starts; a stack means it as it stands. */
function literal(text: string): string {
  return text.replaceAll('$(', '$$$$(')
}

function texts(words: readonly string[] | undefined): readonly string[] | undefined {
  return filled(words?.map(literal))
}

/** What is to be unset in a container cannot be. */
function environment(variables: Service['environment']): readonly JsonMap[] | undefined {
  return filled(
    Object.entries(variables).flatMap(([name, value]) => (value === null ? [] : [{ name, value: literal(value) }])),
  )
}

function pullPolicy({ pullPolicy: { kind } }: Service): string {
  return kind === 'always' ? 'Always' : kind === 'never' ? 'Never' : 'IfNotPresent'
}

function containerPorts({ ports, networkMode }: Service): readonly JsonMap[] {
  const seen = new Set<string>()
  return ports.flatMap(port => {
    const { target, protocol, mode, published, hostIp } = port
    const key = `${target}/${protocol}`
    if (seen.has(key)) return []
    seen.add(key)
    const hostPort =
      mode === 'host' && networkMode.kind !== 'host' && published !== undefined ? Number(published) : undefined
    return [
      given({
        containerPort: target,
        protocol: protocol.toUpperCase(),
        hostPort,
        hostIP: hostPort === undefined ? undefined : hostIp,
      }),
    ]
  })
}

function resources(input: Input, service: Service): JsonMap | undefined {
  const { limits, deploy, gpus, name } = service
  const devices: Record<string, string> = {}
  for (const { count, driver = 'nvidia', capabilities } of [...gpus, ...(deploy?.devices ?? [])]) {
    if (count === undefined || count < 0 || !capabilities.includes('gpu'))
      input.refuse(['services', name], {
        code: 'device-request',
        message: `Cannot give service "${name}" its devices: a cluster counts GPUs, by the name of their maker`,
        hint: 'Write "count" with a number, and "capabilities: [gpu]"',
      })
    else devices[`${driver}.com/gpu`] = String(count)
  }
  const most = given({
    cpu: limits.cpus === undefined ? undefined : cpuQuantity(limits.cpus),
    memory: limits.memory === undefined ? undefined : bytesQuantity(limits.memory),
    ...devices,
  })
  const asked = given({
    cpu: deploy?.cpuReservation === undefined ? undefined : cpuQuantity(deploy.cpuReservation),
    memory: limits.memoryReservation === undefined ? undefined : bytesQuantity(limits.memoryReservation),
  })
  return filledMap(given({ limits: filledMap(most), requests: filledMap(asked) }))
}

function lifecycle(input: Input, service: Service): JsonMap | undefined {
  const { stopSignal, name } = service
  const only = (key: 'post_start' | 'pre_stop', hooks: readonly Hook[]): JsonMap | undefined => {
    const [hook, ...others] = hooks
    if (!hook) return undefined
    const path = ['services', name, key]
    if (others.length > 0)
      input.refuse(path, {
        code: 'one-hook',
        message: `Cannot run ${hooks.length} ${key} hooks of service "${name}" in a cluster: it has room for one`,
        hint: 'Put them into one script',
      })
    if (
      hook.user !== undefined ||
      hook.privileged ||
      hook.workingDir !== undefined ||
      Object.keys(hook.environment).length > 0
    )
      input.notice(path, `a ${key} hook runs as its container does: of its keys "command" alone has an effect`)
    return { exec: { command: [...hook.command] } }
  }
  return filledMap(
    given({
      postStart: only('post_start', service.postStart),
      preStop: only('pre_stop', service.preStop),
      stopSignal: stopSignal === undefined ? undefined : signalName(stopSignal),
    }),
  )
}

function signalName(signal: string): string {
  const upper = signal.toUpperCase()
  return upper.startsWith('SIG') || /^\d+$/.test(upper) ? upper : `SIG${upper}`
}

/** Names that stand for the same number in nearly every image. */
const users: Readonly<Record<string, number>> = { root: 0, nobody: 65534, nogroup: 65534 }

function numberOf(name: string): number | undefined {
  return /^\d+$/.test(name) ? Number(name) : Object.hasOwn(users, name) ? users[name] : undefined
}

function userOf(input: Input, service: Service): JsonMap {
  const { user, name } = service
  if (user === undefined || user === '') return {}
  const [own = '', group] = user.split(':')
  const [runAsUser, runAsGroup] = [numberOf(own), group === undefined ? undefined : numberOf(group)]
  if (runAsUser === undefined || (group !== undefined && runAsGroup === undefined))
    input.refuse(['services', name, 'user'], {
      code: 'user-name',
      message: `Cannot run service "${name}" as "${user}" in a cluster: it takes numbers, and does not look into images`,
      hint: 'Write the number of the user, such as "1000:1000"',
    })
  return given({ runAsUser, runAsGroup })
}

function security(input: Input, service: Service): JsonMap | undefined {
  const { securityOpt, capAdd, capDrop, readOnly, privileged } = service
  const says = (word: RegExp) => securityOpt.some(each => word.test(each))
  return filledMap(
    given<JsonMap>({
      ...userOf(input, service),
      privileged: privileged || undefined,
      readOnlyRootFilesystem: readOnly || undefined,
      allowPrivilegeEscalation: says(/^no-new-privileges(?:[:=]true)?$/) ? false : undefined,
      capabilities: filledMap(
        given({
          add: filled(capAdd.map(bareCapability).sort()),
          drop: filled(capDrop.map(bareCapability).sort()),
        }),
      ),
    }),
  )
}

/** Hooks before the start, one after the other. */
export function initContainers(input: Input, service: Service, volumeMounts: readonly JsonMap[]): readonly JsonMap[] {
  return service.preStart.map((hook, i) => {
    const path = ['services', service.name, 'pre_start', String(i)]
    if (!hook.perReplica) input.notice(path, 'a pre_start hook runs before each replica there, not once for all')
    const command = texts(hook.command)
    const own = { ...service, user: hook.user ?? service.user, privileged: hook.privileged }
    return given<JsonMap>({
      name: `pre-start-${i + 1}`,
      image: hook.image ?? input.images.get(service.name),
      imagePullPolicy: pullPolicy(service),
      command,
      workingDir: hook.workingDir ?? service.workingDir,
      env: environment({ ...service.environment, ...hook.environment }),
      volumeMounts: filled(volumeMounts),
      securityContext: security(input, own),
    })
  })
}
