/** The template of a service's pods. */
import { stableHash } from '../../../lib/stable-json.ts'
import type { NamespaceMode, Service } from '../../../model/service.ts'
import { filled, filledMap, given } from '../../members.ts'
import { annotations, labels, madeLabels } from '../labels.ts'
import type { JsonMap, Manifest } from '../manifest.ts'
import { objectName, partName } from '../names.ts'
import { container, initContainers } from './container.ts'
import type { Input, Wanted } from './given-input.ts'
import { podMounts } from './mounts.ts'
import { seconds } from './quantities.ts'
import { scheduling } from './scheduling.ts'

/** What Compose gives a container to end by itself. */
const usualGrace = 10

export interface Pod {
  readonly template: JsonMap
  readonly objects: readonly Wanted[]
}

export function podOf(input: Input, service: Service, restartPolicy: 'Always' | 'OnFailure' | 'Never'): Pod {
  const { volumes, volumeMounts, objects } = podMounts(input, service)
  const { networkMode, stopGracePeriod, hostname, init, dns, dnsSearch, dnsOpt } = service
  const isHost = (mode: NamespaceMode | undefined) => mode?.kind === 'host' || undefined
  const spec = given<JsonMap>({
    // what is started here asks no cluster, and links in the environment of a pod are not of the stack
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy,
    terminationGracePeriodSeconds: stopGracePeriod === undefined ? usualGrace : seconds(stopGracePeriod),
    os: service.stopSignal === undefined ? undefined : { name: 'linux' },
    hostname,
    hostNetwork: networkMode.kind === 'host' || undefined,
    dnsPolicy: networkMode.kind === 'host' ? 'ClusterFirstWithHostNet' : undefined,
    hostPID: isHost(service.pid),
    hostIPC: isHost(service.ipc),
    hostUsers: service.usernsMode && service.usernsMode.kind !== 'host' ? false : undefined,
    shareProcessNamespace: init || undefined,
    securityContext: podSecurity(input, service),
    dnsConfig: filledMap(
      given({
        nameservers: filled(dns),
        searches: filled(dnsSearch),
        options: filled(
          dnsOpt.map(option => {
            const [name = '', value] = option.split(':')
            return given({ name, value })
          }),
        ),
      }),
    ),
    hostAliases: filled(hostAliases(input, service)),
    ...scheduling(input, service),
    initContainers: filled(initContainers(input, service, volumeMounts)),
    containers: [container(input, service, volumeMounts)],
    volumes: filled(volumes),
  })
  const onNetworks = Object.keys(service.networks).map(
    key => [`${labels.network}${networkName(input, key)}`, ''] as const,
  )
  const own = { ...madeLabels(input.project.name, service.name), ...Object.fromEntries(onNetworks) }
  const said = annotationsOf(input, service)
  const version = stableHash([own, said, spec]).slice(0, 10)
  return { template: { metadata: { labels: { ...own, [labels.version]: version }, annotations: said }, spec }, objects }
}

/** The version of an object's pods; undefined for what has none. */
export function versionLabel({ spec }: Pick<Manifest, 'spec'>): string | undefined {
  const template = spec?.['template'] as
    | { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } }
    | undefined
  return template?.metadata?.labels?.[labels.version]
}

/** As a label's name: a network in a stack may be called what no label may. */
export function networkName({ project }: Input, key: string): string {
  const network = project.networks[key]
  return network ? partName(project.name, network) : objectName(key)
}

const qualified = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/** Labels of a container may hold any text, which here only annotations do. */
function annotationsOf(
  input: Input,
  { name, labels: own, annotations: said, image }: Service,
): Readonly<Record<string, string>> {
  const all = { ...own, ...said }
  const wrong = Object.keys(all).filter(key => !qualified.test(key))
  if (wrong.length > 0)
    input.notice(['services', name, 'labels'], `a cluster has no annotation "${wrong[0]}": it is left out`)
  return {
    ...Object.fromEntries(Object.entries(all).filter(([key]) => qualified.test(key))),
    [annotations.name]: name,
    ...(image === undefined ? {} : { [annotations.image]: image }),
  }
}

function podSecurity(input: Input, { groupAdd, sysctls, securityOpt, privileged, name }: Service): JsonMap | undefined {
  const supplementalGroups = groupAdd.flatMap((group, i) => {
    if (/^\d+$/.test(group)) return [Number(group)]
    input.refuse(['services', name, 'group_add', String(i)], {
      code: 'group-name',
      message: `Cannot add group "${group}" to service "${name}" in a cluster: it takes numbers, and does not look into images`,
      hint: 'Write the number of the group',
    })
    return []
  })
  const options = new Map(
    securityOpt.flatMap(option => {
      const [, key, value] = /^([a-z-]+)[:=](.+)$/.exec(option) ?? []
      return key === undefined || value === undefined ? [] : [[key, value] as const]
    }),
  )
  const seccomp = options.get('seccomp')
  const apparmor = options.get('apparmor')
  // the profile that engines apply, and a cluster only when it is asked to
  const profile = privileged || seccomp === 'unconfined' ? 'Unconfined' : 'RuntimeDefault'
  return given<JsonMap>({
    supplementalGroups: filled(supplementalGroups),
    sysctls: filled(Object.entries(sysctls).map(([key, value]) => ({ name: key, value }))),
    seccompProfile: { type: profile },
    appArmorProfile:
      apparmor === undefined
        ? undefined
        : apparmor === 'unconfined'
          ? { type: 'Unconfined' }
          : { type: 'Localhost', localhostProfile: apparmor },
  })
}

function hostAliases(input: Input, { extraHosts, name }: Service): readonly JsonMap[] {
  const byAddress = new Map<string, string[]>()
  for (const [i, { host, address }] of extraHosts.entries()) {
    if (address === 'host-gateway')
      input.refuse(['services', name, 'extra_hosts', String(i)], {
        code: 'host-gateway',
        message: `Cannot give service "${name}" the address of its host in a cluster: a pod may run on any node`,
        hint: 'Name an address',
      })
    else byAddress.set(address, [...(byAddress.get(address) ?? []), host])
  }
  return [...byAddress].map(([ip, hostnames]) => ({ ip, hostnames }))
}
