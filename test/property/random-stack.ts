/** Stacks made and edited at random from a seed: for each field of a service, values that a person may change into each other. */

import type { Limits } from '../../src/model/limits.ts'
import type { Attachment } from '../../src/model/network.ts'
import type { Project } from '../../src/model/project.ts'
import type { Service } from '../../src/model/service.ts'
import {
  attachment,
  healthcheck,
  needs,
  network,
  project,
  service,
  volume,
  volumeMount,
} from '../targets/engine/plan/project.ts'
import { deploy, m, path, serviceFields } from './service-fields.ts'

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below `below`; mulberry32. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}

const limitValues: { readonly [K in keyof Limits]?: readonly Limits[K][] } = {
  memory: [undefined, 64 * m, 128 * m],
  memorySwap: [undefined, undefined, 256 * m, -1],
  memoryReservation: [undefined, 16 * m, 32 * m],
  cpus: [undefined, 0.5, 1],
  cpuShares: [undefined, 512, 1024],
  cpuset: [undefined, '0', '0-1'],
  pids: [undefined, 10, 20],
  oomScoreAdj: [undefined, 100],
  memorySwappiness: [undefined, 5],
}
const quotas = [undefined, 25000, 50000]

/** What stacks are made of. */
export interface Vocabulary {
  readonly fields: Readonly<Record<string, readonly Partial<Service>[]>>
  readonly limits: Readonly<Record<string, readonly unknown[]>>
  readonly attachments: readonly Partial<Attachment>[]
  readonly subnets: readonly (string | undefined)[]
  readonly bonds: readonly (typeof bonds)[number][]
  /** What every service has. */
  readonly always: Partial<Service>
  readonly images: readonly string[]
}

type Choices = Record<string, number>

interface Drawn {
  readonly fields: Choices
  readonly limits: Choices
  quota: number
  /** Network → variant of the attachment. */
  readonly networks: Choices
  replicas: number
  /** What it is bound to, among those before it. */
  bond: number
}

const attachments = [
  {},
  { aliases: ['other'] },
  { aliases: ['other', 'third'] },
  { gwPriority: 5 },
  { driverOpts: { x: '1' } },
  { ipv4Address: '172.20.0.77' },
]
const bonds = [
  'none',
  'started',
  'healthy',
  'restart',
  'network',
  'volumes_from',
  'links',
  'bridge links',
  'ipc',
  'restart and volumes_from',
] as const
const networkNames = ['default', 'front', 'back', 'proxy'] as const
const subnets = [undefined, '10.1.0.0/24', '10.2.0.0/24']

export const wholeVocabulary: Vocabulary = {
  fields: serviceFields as unknown as Vocabulary['fields'],
  limits: limitValues as Vocabulary['limits'],
  attachments,
  subnets,
  bonds,
  always: {},
  images: ['busybox', 'busybox:2', 'alpine'],
}

const withoutKernel = [
  'image',
  'command',
  'entrypoint',
  'user',
  'restart',
  'ports',
  'healthcheck',
  'dns',
  'mounts',
  'devices',
  'cgroup',
  'cgroupParent',
  'runtime',
  'workingDir',
  'pid',
  'ipc',
  'uts',
  'macAddress',
  'sysctls',
  'domainname',
  'platform',
  'storageOpt',
  'usernsMode',
  'isolation',
  'deviceCgroupRules',
  'preStart',
  'postStart',
  'preStop',
]
const check = { ...healthcheck, interval: 2e8, startPeriod: 5e9, startInterval: 1e8 }

/** Of which any engine makes containers that run, on a machine with two CPUs. */
export const realVocabulary: Vocabulary = {
  fields: {
    ...Object.fromEntries(Object.entries(serviceFields).filter(([name]) => !withoutKernel.includes(name))),
    image: [{ image: 'busybox' }, { image: 'busybox:2' }],
    restart: [{}, { restart: { kind: 'always' } }],
    deploy: [{}, { deploy }],
    healthcheck: [{}, { healthcheck: check }, { healthcheck: { ...check, retries: 2 } }],
    ports: [{}, { ports: [{ target: 80, protocol: 'tcp', mode: 'ingress', path }] }],
    mounts: [
      {},
      { mounts: [volumeMount('data', '/data')] },
      { mounts: [volumeMount('logs', '/data'), volumeMount(undefined, '/cache')] },
    ],
  },
  limits: { ...limitValues, memorySwappiness: [undefined], memorySwap: [undefined] },
  attachments: [{}, { aliases: ['other'] }, { aliases: ['other', 'third'] }, { gwPriority: 5 }],
  subnets: [undefined, '10.213.1.0/24', '10.213.2.0/24'],
  // the others ask for what is shared to be made for that
  bonds: bonds.filter(bond => bond !== 'bridge links' && bond !== 'ipc'),
  always: { command: ['sleep', 'infinity'], stopSignal: 'SIGKILL', stopGracePeriod: 1e9 },
  images: ['busybox', 'busybox:2'],
}

/** A stack that is edited; `project` is what it is now. */
export class RandomStack {
  readonly #random: Random
  readonly #files: readonly [string, string]
  readonly #words: Vocabulary
  readonly #services = new Map<string, Drawn>()
  #subnet = 0
  #volume = 0
  #file = 0

  constructor(
    random: Random,
    {
      files,
      vocabulary = wholeVocabulary,
    }: { readonly files: readonly [string, string]; readonly vocabulary?: Vocabulary },
  ) {
    this.#random = random
    this.#files = files
    this.#words = vocabulary
    for (const name of ['db', 'web', 'edge'].slice(0, 1 + random.below(3))) this.#services.set(name, this.#draw())
  }

  #draw(): Drawn {
    const random = this.#random
    const some = (names: readonly string[], values: (name: string) => number, odds: number): Choices =>
      Object.fromEntries(names.map(name => [name, random.below(odds) === 0 ? random.below(values(name)) : 0]))
    const networks: Choices = { default: 1 + random.below(2) }
    for (const name of networkNames.slice(1))
      if (random.below(4) === 0) networks[name] = 1 + random.below(this.#words.attachments.length)
    return {
      fields: some(Object.keys(this.#words.fields), name => this.#words.fields[name]!.length, 8),
      limits: some(Object.keys(this.#words.limits), name => this.#words.limits[name]!.length, 4),
      quota: 0,
      networks,
      replicas: 1 + random.below(3),
      bond: random.below(4) === 0 ? random.below(this.#words.bonds.length) : 0,
    }
  }

  /** Changes one thing, and says which. */
  edit(): string {
    const random = this.#random
    const name = random.of([...this.#services.keys()])
    const drawn = this.#services.get(name)!
    switch (random.below(14)) {
      case 0:
        drawn.replicas = random.below(4)
        return `scale ${name} ${drawn.replicas}`
      case 1: {
        const free = ['db', 'web', 'edge', 'extra'].find(each => !this.#services.has(each))
        if (free === undefined) break
        this.#services.set(free, this.#draw())
        return `add ${free}`
      }
      case 2:
        if (this.#services.size < 2) break
        this.#services.delete(name)
        return `remove ${name}`
      case 3:
        this.#subnet = random.below(this.#words.subnets.length)
        return 'subnet'
      case 4:
        this.#volume = random.below(2)
        return 'volume'
      case 5:
        this.#file = 1 - this.#file
        return 'file'
      case 6:
        drawn.bond = random.below(this.#words.bonds.length)
        return `${name}: ${this.#words.bonds[drawn.bond]}`
      case 7:
      case 8: {
        const key = random.of(networkNames)
        drawn.networks[key] =
          drawn.networks[key] && random.below(2) === 0 ? 0 : 1 + random.below(this.#words.attachments.length)
        return `${name}: network ${key} ${drawn.networks[key]}`
      }
      case 9:
      case 10: {
        const key = random.of(Object.keys(this.#words.limits))
        drawn.limits[key] = random.below(this.#words.limits[key]!.length)
        return `${name}: ${key} ${drawn.limits[key]}`
      }
      case 11:
        drawn.quota = random.below(quotas.length)
        return `${name}: quota ${drawn.quota}`
      default:
    }
    const key = random.of(Object.keys(this.#words.fields))
    drawn.fields[key] = random.below(this.#words.fields[key]!.length)
    return `${name}: ${key} ${drawn.fields[key]}`
  }

  get project(): Project {
    const services: Service[] = []
    for (const [name, drawn] of this.#services) services.push(this.#service(name, drawn, services.at(-1)))
    const subnet = this.#words.subnets[this.#subnet]
    const config = subnet === undefined ? [] : [{ subnet, auxAddresses: {} }]
    return project(services, {
      networks: {
        default: network('default'),
        front: network('front', { ipam: { config, options: {} } }),
        back: network('back', { internal: true }),
        proxy: network('proxy', { name: 'proxy', external: true }),
      },
      volumes: {
        data: volume('data', { driverOpts: this.#volume === 0 ? {} : { type: 'tmpfs', device: 'tmpfs' } }),
        logs: volume('logs'),
      },
      configs: {
        motd: { key: 'motd', name: 'shop_motd', labels: {}, source: { kind: 'file', file: this.#files[this.#file]! } },
        inline: { key: 'inline', name: 'shop_inline', labels: {}, source: { kind: 'content', content: 'inline' } },
      },
      secrets: {
        password: {
          key: 'password',
          name: 'shop_password',
          labels: {},
          source: { kind: 'file', file: this.#files[1 - this.#file]! },
        },
        token: {
          key: 'token',
          name: 'shop_token',
          labels: {},
          source: { kind: 'environment', variable: 'TOKEN', value: 'abc' },
        },
      },
    })
  }

  #service(
    name: string,
    { fields, limits, quota, networks, replicas, bond }: Drawn,
    other: Service | undefined,
  ): Service {
    const own = Object.entries(fields).map(([key, value]) => this.#words.fields[key]![value]!)
    const attached = Object.entries(networks).flatMap(([key, variant]) =>
      variant === 0 ? [] : [[key, attachment(key, this.#words.attachments[variant - 1])] as const],
    )
    const whole: Service = service(name, {
      ...(Object.assign({}, ...own) as Partial<Service>),
      ...this.#words.always,
      limits: sound(
        Object.fromEntries(Object.entries(limits).map(([key, value]) => [key, this.#words.limits[key]![value]])),
        quotas[quota],
      ),
      networks: Object.fromEntries(attached),
      replicas,
    })
    return bound(whole, this.#words.bonds[bond]!, other)
  }
}

/** Without what an engine would refuse together. */
function sound(limits: Partial<Limits>, cpuQuota: number | undefined): Limits {
  const memory = limits.memory
  const swap = memory === undefined ? undefined : limits.memorySwap
  return { ...limits, memorySwap: swap, oomKillDisable: false, ...(limits.cpus === undefined ? { cpuQuota } : {}) }
}

function bound(own: Service, bond: (typeof bonds)[number], other: Service | undefined): Service {
  if (!other || other.replicas === 0) return own
  const of = (...rest: Parameters<typeof needs> extends [string, ...infer R] ? R : never) => ({
    ...own,
    dependsOn: needs(other.name, ...rest),
  })
  const isWell = other.healthcheck !== undefined && !other.healthcheck.disable
  const shares = other.networkMode.kind === 'networks' && Object.keys(other.networks).length > 0
  switch (bond) {
    case 'started':
      return of('started')
    case 'healthy':
      return isWell ? of('healthy') : own
    case 'restart':
      return of('started', { restart: true })
    case 'network': {
      const { hostname: _, macAddress: __, domainname: ___, ...rest } = of('started')
      if (!shares) return own
      return {
        ...rest,
        networkMode: { kind: 'service', service: other.name },
        networks: {},
        ports: [],
        dns: [],
        dnsSearch: [],
        dnsOpt: [],
        extraHosts: [],
        links: [],
        sysctls: {},
      }
    }
    case 'volumes_from':
      return { ...of('started'), volumesFrom: [{ kind: 'service', name: other.name, readOnly: true }] }
    case 'bridge links': {
      if (other.networkMode.kind !== 'networks' || Object.keys(other.networks).length === 0) return own
      const { macAddress: _, ...rest } = of('started')
      return {
        ...rest,
        networkMode: { kind: 'other', value: 'bridge' },
        networks: {},
        links: [{ service: other.name, alias: 'linked' }],
      }
    }
    case 'ipc':
      return { ...of('started'), ipc: { kind: 'service', service: other.name } }
    case 'restart and volumes_from':
      return {
        ...of('started', { restart: true }),
        volumesFrom: [{ kind: 'service', name: other.name, readOnly: false }],
      }
    case 'links':
      return { ...of('started'), links: [{ service: other.name, alias: 'linked' }] }
    default:
      return own
  }
}
