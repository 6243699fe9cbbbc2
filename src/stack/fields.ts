/** The whole grammar: what may stand in a stack file, field by field. */

import { build } from './fields/build.ts'
import { command } from './fields/command.ts'
import { dependsOn } from './fields/depends-on.ts'
import { deploy } from './fields/deploy.ts'
import { develop, postStart, preStart, preStop } from './fields/develop.ts'
import { devices, gpus } from './fields/devices.ts'
import { envFile, environment, labelFile } from './fields/environment.ts'
import { extraHosts } from './fields/extra-hosts.ts'
import { config, fileReferences, secret } from './fields/files.ts'
import {
  keyOf,
  keyValues,
  namePattern,
  namesToMap,
  refuse,
  textMap,
  textOf,
  textOrList,
  toText,
} from './fields/forms.ts'
import { healthcheck } from './fields/healthcheck.ts'
import { limits } from './fields/limits.ts'
import { logging } from './fields/logging.ts'
import { ports } from './fields/ports.ts'
import { network, orNull, serviceNetworks, volume } from './fields/resources.ts'
import { ulimits } from './fields/ulimits.ts'
import * as values from './fields/values.ts'
import { serviceVolumes } from './fields/volumes.ts'
import {
  bool,
  type Context,
  choice,
  duration,
  int,
  listOf,
  mapTo,
  nothing,
  type ObjectShape,
  object,
  oneOf,
  type Shape,
  text,
} from './grammar.ts'
import { list, mapOf, type Node } from './tree.ts'

const modelUse = orNull(
  object({ endpoint_var: text('Variable for its address.'), model_var: text('Variable for its name.') }),
)

const extendsLong = object(
  { file: text('File it is in.', { path: 'always' }), service: text('Name of the service.') },
  undefined,
  { required: ['service'], extensions: false, tolerant: true },
)

const providerOption = text(undefined, { also: ['number', 'boolean'], canonical: toText })

/** In the order of the reference. */
const serviceOrder = `
profiles annotations attach build develop blkio_config cap_add cap_drop cgroup_parent cgroup cpu_count cpu_percent cpu_period cpu_quota
cpu_rt_period cpu_rt_runtime cpus cpuset cpu_shares command configs container_name credential_spec depends_on deploy
device_cgroup_rules devices dns dns_opt dns_search domainname entrypoint provider environment expose extends external_links
extra_hosts group_add gpus hostname healthcheck image init ipc isolation labels links logging mem_limit mem_reservation
memswap_limit mem_swappiness mac_address models network_mode networks oom_kill_disable oom_score_adj pid pids_limit platform ports
privileged pull_policy read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period
stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volumes volumes_from working_dir post_start
pre_stop`

/** The fields in the order of `names`, those that are not among them after the others. */
function inOrder(names: string, fields: Readonly<Record<string, Shape>>): Readonly<Record<string, Shape>> {
  const first = names.trim().split(/\s+/)
  return Object.fromEntries([...first.map(name => [name, fields[name]!]), ...Object.entries(fields)])
}

export const service: ObjectShape = object(
  inOrder(serviceOrder, {
    annotations: keyValues('Annotations of the container.'),
    attach: bool('Whether `up` in the foreground shows its output.', { keep: true }),
    build,
    cap_add: listOf(text(undefined, { judge: values.capability }), 'Capabilities to add.', {
      key: keyOf,
      examples: [['NET_ADMIN']],
    }),
    cap_drop: listOf(text(undefined, { judge: values.capability }), 'Capabilities to take away.', {
      key: keyOf,
      examples: [['ALL']],
    }),
    cgroup: oneOf(['host', 'private'], 'Cgroup namespace.'),
    cgroup_parent: text('Parent cgroup.'),
    command: command('What it runs, instead of the command of the image.'),
    configs: fileReferences('Configs it can read.', ''),
    container_name: text('Name of the container, instead of one made of project, service and number.', {
      pattern: /[a-zA-Z0-9][a-zA-Z0-9_.-]+/,
      judge: values.engineName,
    }),
    credential_spec: object(
      { config: text('A config.'), file: text('A file.'), registry: text('A registry key.') },
      'For Windows.',
    ),
    depends_on: dependsOn,
    deploy,
    develop,
    device_cgroup_rules: listOf(text(undefined, { judge: values.deviceRule }), 'Device rules: "c 1:3 mr".', {
      unique: true,
    }),
    devices,
    dns: textOrList('Name servers.', {
      key: keyOf,
      finish: withoutEmpty,
      items: text(undefined, { judge: values.address }),
    }),
    dns_opt: listOf(text(), 'Options of resolv.conf.', { key: keyOf }),
    dns_search: textOrList('Search domains.', { key: keyOf }),
    domainname: text('Domain name.'),
    entrypoint: command('The entrypoint, instead of the one of the image.'),
    env_file: envFile,
    environment,
    expose: listOf(
      text(undefined, { also: ['number'], canonical: portText, judge: values.exposed }),
      'Ports other containers may reach; nothing is published.',
      { key: wholeText },
    ),
    extends: choice([text(), extendsLong], 'Another service to begin with.', {
      canonical: node => (node.kind === 'scalar' && node.value !== null ? mapOf({ service: node }, node) : node),
      long: extendsLong,
    }),
    external_links: listOf(text(undefined, { judge: values.link }), 'Containers outside the stack: "name[:alias]".', {
      unique: true,
    }),
    extra_hosts: extraHosts,
    gpus,
    group_add: listOf(
      text(undefined, { also: ['number'], canonical: toText, judge: values.group }),
      'Further groups of the user.',
      {
        unique: true,
      },
    ),
    healthcheck,
    hostname: text('Host name.', { judge: values.matching(/^[^\s\0]{1,64}$/, 'at most 64 characters without blanks') }),
    image: text('The image.', { examples: ['nginx:1.27'], judge: values.image }),
    init: bool('Run an init as process 1.', { keep: true }),
    ipc: text('IPC namespace: private, shareable, host, service:NAME, container:NAME.', {
      judge: values.mode(['private', 'shareable', 'host', 'none'], ['service', 'container']),
    }),
    isolation: text('For Windows.', { judge: values.word(['default', 'process', 'hyperv']) }),
    label_file: labelFile,
    labels: keyValues('Labels of the container.'),
    links: listOf(text(undefined, { judge: values.link }), 'Services under another name: "service[:alias]".', {
      key: keyOf,
    }),
    logging,
    mac_address: text('MAC address.', { judge: values.macAddress }),
    models: choice(
      [listOf(text(), undefined, { unique: true }), mapTo(modelUse, undefined, { names: namePattern, open: true })],
      'Models it uses.',
      {
        canonical: namesToMap,
        long: mapTo(modelUse, 'Models.', { names: namePattern, open: true, printNull: true }),
      },
    ),
    network_mode: text('host, none, service:NAME or container:NAME, instead of networks.', {
      judge: values.matching(/^(?!(?:service|container):$)/, 'host, none, service:NAME or container:NAME'),
    }),
    networks: serviceNetworks,
    pid: text('PID namespace: host, service:NAME, container:NAME.', {
      also: ['null'],
      judge: values.mode(['host', 'private'], ['service', 'container']),
    }),
    platform: text('os/architecture.'),
    ports,
    post_start: postStart,
    pre_start: preStart,
    pre_stop: preStop,
    privileged: bool('All capabilities and devices: no isolation from the host.'),
    profiles: listOf(text(), 'Only there when one of these profiles is in force.', { key: keyOf }),
    provider: object(
      {
        type: text('The program that provides it.'),
        options: mapTo(
          choice([providerOption, listOf(providerOption)], undefined, { finish: oneToItems }),
          'Options of the program.',
          { names: /./ },
        ),
      },
      'A service that another program runs.',
      { required: ['type'] },
    ),
    pull_policy: text('always, never, missing, build, daily, weekly, every_DURATION.', {
      pattern: /always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+/,
      judge: values.pullPolicy,
    }),
    pull_refresh_after: text('When to pull again.', { hidden: true }),
    read_only: bool('The root file system cannot be written to.'),
    restart: text('no, always, on-failure[:n] or unless-stopped.', { judge: values.restartPolicy }),
    runtime: text('OCI runtime.'),
    scale: int('How many containers.', { keep: true }),
    secrets: fileReferences('Secrets it can read.', '/run/secrets'),
    security_opt: listOf(
      text(undefined, { judge: values.securityOption }),
      'seccomp=, apparmor=, no-new-privileges, …',
      { unique: true },
    ),
    stdin_open: bool('Keep standard input open.'),
    stop_grace_period: duration('Time between the stop signal and SIGKILL.', { keep: true }),
    stop_signal: text('Signal that stops it.', { judge: values.signal }),
    storage_opt: textMap('Options of the storage driver.', ['number', 'null']),
    sysctls: keyValues('Kernel parameters of its namespaces.', { judgeEntry: values.sysctl }),
    tmpfs: textOrList('Folders in memory: "target[:options]".', {
      key: keyOf,
      items: text(undefined, { judge: values.tmpfs }),
    }),
    tty: bool('Give it a terminal.'),
    ulimits,
    use_api_socket: bool('Give it the socket of the engine.', { strict: true }),
    user: text('User and group: "name", "uid:gid".', { judge: values.user }),
    userns_mode: text('User namespace: host, auto, private, service:NAME, container:NAME.', {
      judge: values.mode(['host', 'auto', 'private'], ['service', 'container']),
    }),
    uts: text('UTS namespace: host.', { judge: values.word(['host', 'private']) }),
    volumes: serviceVolumes,
    volumes_from: listOf(
      text(undefined, { judge: values.volumesFrom }),
      'All mounts of another service or container: "service[:ro]", "container:name".',
      {
        unique: true,
      },
    ),
    working_dir: text('Folder it starts in.', { judge: values.absolutePath }),
    ...limits,
  }),
  'A service: one or more containers of one image.',
)

/** An unset variable in the list leaves no name server. */
function withoutEmpty(node: Node): Node {
  return node.kind === 'list'
    ? list(
        node.items.filter(item => item.kind !== 'scalar' || item.value !== ''),
        node,
      )
    : node
}

/** Numbers as text; one with a fraction or exponent is no port. */
function portText(node: Node, context: Context): Node {
  if (node.kind === 'scalar' && typeof node.value === 'number' && node.text !== undefined)
    refuse(context, node, {
      code: 'bad-port',
      message: `Cannot use ${node.text} as a port: it should be a whole number`,
    })
  return toText(node, context)
}

function wholeText(node: Node): string | undefined {
  return node.kind === 'scalar' ? textOf(node) : undefined
}

function oneToItems(node: Node): Node {
  return node.kind === 'scalar' && node.value !== null ? list([node], node) : node
}

const includeEntry = object(
  {
    path: textOrList('The file, and files over it.'),
    env_file: textOrList('Variables for it.'),
    project_directory: text('Folder its paths begin in.'),
  },
  undefined,
  { extensions: false, tolerant: true },
)

const model = object(
  {
    name: text('Name.'),
    model: text('The model.'),
    context_size: int('Tokens.', { strict: true }),
    runtime_flags: listOf(text(), 'Flags of the inference engine.'),
  },
  'An AI model.',
  { required: ['model'] },
)

export const stack: ObjectShape = object(
  {
    version: text('Obsolete; has no effect.', { deprecated: true, hidden: true }),
    name: text('Name of the project.'),
    include: listOf(choice([text(), includeEntry, nothing]), 'Other stacks that are part of this one.', {
      hidden: true,
    }),
    services: mapTo(service, 'The services.', { names: namePattern }),
    models: mapTo(model, 'The AI models.', { names: namePattern, open: true, hidden: 'json' }),
    networks: mapTo(network, 'The networks.', { names: namePattern, open: true }),
    volumes: mapTo(volume, 'The volumes.', { names: namePattern }),
    secrets: mapTo(secret, 'The secrets.', { names: namePattern }),
    configs: mapTo(config, 'The configs.', { names: namePattern }),
  },
  'A stack: services, and the networks, volumes, configs and secrets they use.',
)
