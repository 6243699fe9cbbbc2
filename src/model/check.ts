/** What only the whole stack can tell: names that stand for nothing, clashes, circles → Problems. */
import { nearest, type Problem } from '../lib/problems.ts'
import { list } from '../lib/text.ts'
import type { Mount } from './mount.ts'
import type { Project } from './project.ts'
import type { Service } from './service.ts'

/** Names that are defined, whether some service uses them or not: what may have been meant. */
export type Defined = Readonly<
  Record<'networks' | 'volumes' | 'configs' | 'secrets' | 'models', Readonly<Record<string, unknown>>>
>

/** All errors and warnings of a project; empty when it is sound. Dependency circles are named in full. */
export function checkProject(project: Project, defined: Defined = { ...project, models: {} }): readonly Problem[] {
  const checker = new Checker(project, defined)
  for (const service of Object.values(project.services)) checker.checkService(service)
  checker.checkPorts()
  checker.checkContainerNames()
  checker.checkCycles()
  return checker.problems
}

class Checker {
  readonly problems: Problem[] = []
  readonly #project: Project
  readonly #defined: Defined

  constructor(project: Project, defined: Defined) {
    this.#project = project
    this.#defined = defined
  }

  checkService(service: Service): void {
    const at = (...keys: string[]) => ['services', service.name, ...keys]
    const { build, image, provider } = service
    if (!build && !image && !provider)
      this.#error(at(), {
        code: 'missing-key',
        message: `Cannot run service "${service.name}": it has neither "image" nor "build"`,
        hint: 'Add "image:"',
      })
    if (build?.dockerfile && build.dockerfileInline)
      this.#error(at('build', 'dockerfile_inline'), {
        code: 'conflicting-keys',
        message: 'Cannot use "dockerfile" and "dockerfile_inline" together: only one of them can stand here',
      })
    if (build && service.platform && build.platforms.length > 0 && !build.platforms.includes(service.platform))
      this.#error(at('build', 'platforms'), {
        code: 'conflicting-keys',
        message: `Cannot build for ${list(build.platforms)} alone: "platform" of the service is ${service.platform}`,
      })
    this.#checkNetworks(service)
    this.#checkDependencies(service)
    this.#checkFiles(service)
    for (const model of Object.keys(service.models))
      this.#mustExist('model', model, { known: this.#defined.models, path: at('models', model), service })
    this.#checkMounts(service)
    this.#checkScale(service)
    this.#checkTogether(service)
    const { healthcheck } = service
    const first = healthcheck?.test?.[0]
    if (first !== undefined && !['CMD', 'CMD-SHELL', 'NONE'].includes(first))
      this.#error(at('healthcheck', 'test'), {
        code: 'bad-value',
        message: `Cannot use "${first}" as the first word of a healthcheck: it should be CMD, CMD-SHELL or NONE`,
        hint: 'Write a string to run it in a shell, or put "CMD" in front',
      })
    if (healthcheck?.startInterval && !healthcheck.startPeriod)
      this.#warn(at('healthcheck', 'start_interval'), {
        code: 'missing-key',
        message: 'healthcheck.start_interval requires healthcheck.start_period to be set',
        blocks: [service.name],
      })
    for (const [index, rule] of service.watch.entries())
      if (rule.path === '')
        this.#error(at('develop', 'watch', String(index)), {
          code: 'missing-key',
          message: 'Cannot watch an empty path: "path" must be set',
        })
      else if (!rule.target && rule.action !== 'rebuild' && rule.action !== 'restart')
        this.#error(at('develop', 'watch', String(index)), {
          code: 'missing-key',
          message: `Cannot leave out "target": the action "${rule.action}" needs it`,
        })
  }

  #checkNetworks(service: Service): void {
    const path = ['services', service.name, 'networks']
    const names = Object.keys(service.networks)
    if (service.networkMode.kind !== 'networks' && names.length > 0)
      this.#error(['services', service.name, 'network_mode'], {
        code: 'conflicting-keys',
        message: 'Cannot use "network_mode" and "networks" together: only one of them can stand here',
      })
    for (const name of names)
      this.#mustExist('network', name, { known: this.#defined.networks, path: [...path, name], service })
  }

  #checkDependencies(service: Service): void {
    const { networkMode, dependsOn } = service
    if (networkMode.kind === 'service')
      this.#mustRun(networkMode.service, {
        service,
        path: ['services', service.name, 'network_mode'],
        verb: 'share the network of',
      })
    for (const { service: name, required } of Object.values(dependsOn)) {
      if (!required && this.#project.disabledServices[name]) continue
      if (networkMode.kind === 'service' && networkMode.service === name) continue
      this.#mustRun(name, { service, path: ['services', service.name, 'depends_on', name], verb: 'depend on' })
    }
    for (const [context, other] of buildContexts(service)) {
      const path = ['services', service.name, 'build', 'additional_contexts', context]
      this.#mustRun(other, { service, path, verb: 'build from' })
      const found = this.#project.services[other]
      if (found && !found.build)
        this.#error(path, {
          code: 'not-built',
          message: `Cannot build from service "${other}": it has an image, but no build`,
          hint: `Write "docker-image://${found.image ?? 'IMAGE'}" to build from the image`,
        })
    }
  }

  #mustRun(name: string, { service, path, verb }: { service: Service; path: readonly string[]; verb: string }): void {
    if (this.#project.services[name]) return
    const others = Object.keys(this.#project.services).filter(other => other !== service.name)
    const disabled = this.#project.disabledServices[name]
    // Compose's text, which scripts look for
    const lead =
      verb === 'depend on'
        ? `service "${service.name}" depends on undefined service "${name}"`
        : `Cannot ${verb} service "${name}"`
    if (disabled)
      this.#error(path, {
        code: 'disabled-service',
        message: `${lead}: no such service: ${name}, since none of its profiles (${disabled.profiles.join(', ')}) is in force`,
        hint: 'Add --profile, or set "required: false"',
      })
    else
      this.#error(path, {
        code: 'undefined-service',
        ...this.#unknown(lead, name, { others, plural: 'services' }),
      })
  }

  #checkFiles(service: Service): void {
    const sets = [
      ['secret', service.secrets, this.#defined.secrets],
      ['config', service.configs, this.#defined.configs],
      ['secret', service.build?.secrets ?? [], this.#defined.secrets],
    ] as const
    for (const [kind, references, known] of sets)
      for (const { source, path } of references) this.#mustExist(kind, source, { known, path, service })
  }

  #checkMounts(service: Service): void {
    const taken = new Map<string, string>()
    const take = (target: string, path: readonly string[]) => {
      const shown = path.slice(2).join('.')
      const other = taken.get(target)
      if (other !== undefined)
        this.#error(path, {
          code: 'target-clash',
          message: `Cannot mount on "${target}" twice: ${other} is mounted there too`,
        })
      taken.set(target, shown)
    }
    const tmpfs = (mount: Mount) => mount.path[2] === 'tmpfs'
    for (const mount of service.mounts) if (tmpfs(mount)) take(mount.target, mount.path)
    for (const mount of service.mounts) {
      if (!tmpfs(mount)) take(mount.target, mount.path)
      if (mount.kind === 'volume' && mount.source !== undefined)
        this.#mustExist('volume', mount.source, { known: this.#defined.volumes, path: mount.path, service })
    }
  }

  #checkScale(service: Service): void {
    if (service.replicas < 0)
      this.#error(['services', service.name, ...(service.deploy ? ['deploy', 'replicas'] : ['scale'])], {
        code: 'out-of-range',
        message: `Cannot run ${service.replicas} containers: it should be 0 or more`,
      })
    if (service.replicas > 1 && service.containerName)
      this.#error(['services', service.name, 'container_name'], {
        code: 'conflicting-keys',
        message: `Cannot run ${service.replicas} containers of the name "${service.containerName}": a name can be taken only once`,
        hint: 'Remove "container_name", or run one container',
      })
  }

  /** Settings that are sound by themselves and that no engine takes together. */
  #checkTogether(service: Service): void {
    const { limits, networkMode } = service
    const refuse = (key: string, message: string, hint?: string) =>
      this.#warn(['services', service.name, key], { code: 'conflicting-keys', message, hint, blocks: [service.name] })
    const { memory, memoryReservation, memorySwap } = limits
    if (memory !== undefined && memoryReservation !== undefined && memoryReservation > memory)
      refuse('mem_reservation', 'Cannot set aside more memory than the limit of the service')
    if (memorySwap !== undefined && memorySwap > 0)
      if (memory === undefined) refuse('memswap_limit', 'Cannot use "memswap_limit" alone', 'Set "mem_limit" too')
      else if (memorySwap < memory)
        refuse('memswap_limit', 'Cannot limit memory and swap together to less than memory alone')
    for (const [key, value] of [
      ['cpu_period', limits.cpuPeriod],
      ['cpu_quota', limits.cpuQuota],
    ] as const)
      if (limits.cpus !== undefined && value !== undefined && value > 0)
        refuse(key, `Cannot use "${key}" and "cpus" together: only one of them can stand here`)
    for (const { name, soft, hard } of service.ulimits)
      if (hard !== -1 && (soft > hard || soft === -1))
        refuse('ulimits', `Cannot set the limit "${name}" above its hard limit: ${soft} is more than ${hard}`)
    if (networkMode.kind === 'networks') return
    if (networkMode.kind !== 'none' && networkMode.kind !== 'other')
      for (const name of Object.keys(service.sysctls))
        if (/^net[./]/.test(name))
          refuse('sysctls', `Cannot set "${name}": the network is not the service's own, "network_mode" says so`)
    for (const [key, shared, used] of [
      ['hostname', /^(?:host|container|service)$/, service.hostname !== undefined],
      ['ports', /^(?:container|service)$/, service.ports.length > 0],
      ['dns', /^(?:container|service)$/, service.dns.length > 0],
      ['extra_hosts', /^(?:container|service)$/, service.extraHosts.length > 0],
      ['mac_address', /^(?:container|service)$/, service.macAddress !== undefined],
    ] as const)
      if (used && shared.test(networkMode.kind) && !(key === 'hostname' && networkMode.kind === 'host'))
        refuse(key, `Cannot use "${key}" here: the network is that of another container, "network_mode" says so`)
  }

  /**
   * Two services that publish the same port of the same address can never run together. They may run in turn, the second when the first
   * has completed, and may be created: the engine refuses what cannot run, with the name of who has the port.
   */
  checkPorts(): void {
    const taken = new Map<string, { service: string; address: string }[]>()
    for (const service of Object.values(this.#project.services))
      for (const port of service.ports) {
        if (!port.published || port.published.includes('-') || port.published === '0') continue
        const key = `${port.published}/${port.protocol}`
        const address = port.hostIp ?? ''
        const holders = taken.get(key) ?? []
        const any = (host: string) => host === '' || host === '0.0.0.0' || host === '::'
        const holder = holders.find(other => other.address === address || any(other.address) || any(address))
        if (holder && holder.service !== service.name)
          this.#warn(port.path, {
            code: 'port-clash',
            message: `Port ${key} is published by service "${holder.service}" too: they cannot run at the same time`,
          })
        else if (service.replicas > 1 && !holder)
          this.#warn(port.path, {
            code: 'port-of-several',
            message: `Port ${key} can be published by one container only, and "${service.name}" has ${service.replicas}`,
            hint: 'Publish a range, or no fixed port',
          })
        taken.set(key, [...holders, { service: service.name, address }])
      }
  }

  checkContainerNames(): void {
    const taken = new Map<string, string>()
    for (const service of Object.values(this.#project.services)) {
      if (!service.containerName) continue
      const other = taken.get(service.containerName)
      if (other !== undefined)
        this.#warn(['services', service.name, 'container_name'], {
          code: 'name-clash',
          // Compose's text, but for the name of the service, which it leaves out
          message: `container name "${service.containerName}" is already in use by service "${other}"`,
          blocks: [other, service.name],
        })
      taken.set(service.containerName, service.name)
    }
  }

  /** A circle of dependencies, in full: web → api → web. */
  checkCycles(): void {
    const state = new Map<string, 'open' | 'done'>()
    const trail: string[] = []
    const visit = (name: string): boolean => {
      if (state.get(name) === 'done') return false
      if (state.get(name) === 'open') {
        const circle = [...trail.slice(trail.indexOf(name)), name]
        this.#error(['services', circle.at(-2)!, 'depends_on', name], {
          code: 'dependency-cycle',
          message: `Cannot order the services: dependency cycle detected: ${circle.join(' → ')}`,
        })
        return true
      }
      state.set(name, 'open')
      trail.push(name)
      for (const next of this.#edges(name)) if (visit(next)) return true
      trail.pop()
      state.set(name, 'done')
      return false
    }
    for (const name of Object.keys(this.#project.services)) if (visit(name)) return
  }

  /** What is built first need not be started first: only dependencies count here. */
  #edges(name: string): readonly string[] {
    return Object.keys(this.#project.services[name]?.dependsOn ?? {}).filter(next => this.#project.services[next])
  }

  #mustExist(
    kind: string,
    name: string,
    { known, path, service }: { known: Readonly<Record<string, unknown>>; path: readonly string[]; service: Service },
  ): void {
    if (known[name] !== undefined) return
    this.#error(path, {
      code: `undefined-${kind}`,
      // Compose's text, which scripts look for
      ...this.#unknown(`service "${service.name}" refers to undefined ${kind} ${name}`, name, {
        others: Object.keys(known),
        plural: `${kind}s`,
      }),
    })
  }

  #unknown(
    lead: string,
    name: string,
    { others, plural }: { others: readonly string[]; plural: string },
  ): { message: string; hint?: string } {
    const meant = nearest(name, others)
    const there =
      others.length === 0
        ? `no ${plural} are defined`
        : others.length <= 8
          ? `${plural} are ${others.join(', ')}`
          : `it is not among the ${others.length} ${plural}`
    return {
      message: `${lead}: ${there}`,
      hint: meant ? `Did you mean "${meant}"?` : undefined,
    }
  }

  #error(path: readonly string[], problem: { code: string; message: string; hint?: string }): void {
    this.problems.push({ severity: 'error', place: this.#project.place(path), path, ...problem })
  }

  #warn(path: readonly string[], problem: Pick<Problem, 'code' | 'message' | 'hint' | 'blocks'>): void {
    this.problems.push({ severity: 'warning', place: this.#project.place(path), path, ...problem })
  }
}

/** The contexts of a build that are other services: [name of the context, name of the service]. */
function buildContexts(service: Service): ReadonlyArray<readonly [string, string]> {
  return Object.entries(service.build?.additionalContexts ?? {}).flatMap(([name, context]) =>
    context.startsWith('service:') ? [[name, context.slice('service:'.length)] as const] : [],
  )
}
