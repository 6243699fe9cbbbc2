/** Stacks as data that between them use every attribute. */
// biome-ignore lint/suspicious/noExplicitAny: stacks as data, reached into freely
export type Data = any

/** A service as plain as can be, and files for what names some. */
export const files = {
  'env.env': 'FROM_FILE=1\n',
  'raw.env': 'RAW="1"\n',
  'labels.env': 'from.file=1\n',
  'other.yaml': 'services: {other: {image: other, hostname: other}, one: {image: one}}\n',
  'sub/inc.yaml': 'services: {inc: {image: "inc:${INC}", volumes: ["./d:/d"]}}\n',
  'sub/inc.env': 'INC=2\n',
  token: 'x',
}

export const on = (service: Data, rest: Data = {}): Data => ({
  services: { a: { image: 'busybox', ...service } },
  ...rest,
})
export const more = (services: Data, rest: Data = {}): Data => ({ services, ...rest })

/** Stacks that between them use every attribute. Of each attribute one use is taken out, and the plan must change. */
export const stacks: readonly Data[] = [
  on({
    cap_add: ['NET_ADMIN'],
    cap_drop: ['CHOWN'],
    cgroup: 'host',
    command: ['x'],
    container_name: 'own',
    device_cgroup_rules: ['c 1:3 mr'],
    devices: [{ source: '/dev/null', target: '/dev/x', permissions: 'r' }],
    dns: ['1.1.1.1'],
    dns_opt: ['ndots:2'],
    dns_search: ['example'],
    domainname: 'example',
    entrypoint: ['y'],
    env_file: [
      { path: 'env.env', required: true },
      { path: 'raw.env', format: 'raw', required: true },
    ],
    environment: { A: '1' },
    expose: ['99'],
    extra_hosts: ['h=1.1.1.1'],
    group_add: ['7'],
    hostname: 'h',
    init: false,
    ipc: 'host',
    label_file: ['labels.env'],
    labels: { a: '1' },
    logging: { driver: 'json-file', options: { 'max-size': '1m' } },
    pid: 'host',
    platform: 'linux/arm64',
    ports: [{ target: 80, published: '8080', host_ip: '127.0.0.1', protocol: 'udp' }],
    privileged: true,
    pull_policy: 'always',
    read_only: true,
    restart: 'always',
    scale: 1,
    security_opt: ['no-new-privileges'],
    shm_size: '1m',
    stdin_open: true,
    stop_grace_period: '5s',
    stop_signal: 'SIGINT',
    sysctls: { 'net.core.somaxconn': '1' },
    tmpfs: ['/t'],
    tty: true,
    ulimits: { nofile: { soft: 1, hard: 2 } },
    user: '7',
    uts: 'host',
    working_dir: '/w',
    annotations: { a: '1' },
    mac_address: '02:42:ac:11:00:02',
    blkio_config: {
      weight: 10,
      device_read_bps: [{ path: '/dev/a', rate: 1 }],
      device_read_iops: [{ path: '/dev/a', rate: 1 }],
      device_write_bps: [{ path: '/dev/a', rate: 1 }],
      device_write_iops: [{ path: '/dev/a', rate: 1 }],
    },
    cgroup_parent: 'x',
    cpu_shares: 5,
    cpuset: '0',
    cpus: 0.5,
    mem_limit: '64m',
    mem_reservation: '32m',
    mem_swappiness: 5,
    memswap_limit: '128m',
    oom_kill_disable: true,
    oom_score_adj: 5,
    pids_limit: 5,
  }),
  on({ cpu_quota: 5000, cpu_period: 10000 }),
  on({ network_mode: 'host' }),
  on({ scale: 3 }),
  on({ profiles: ['p'] }),
  on({
    healthcheck: {
      test: ['CMD', 'x'],
      interval: '1s',
      timeout: '2s',
      retries: 4,
      start_period: '5s',
      start_interval: '6s',
    },
  }),
  on({ healthcheck: { disable: true } }),
  on({
    deploy: {
      replicas: 2,
      resources: { limits: { cpus: '0.5', memory: '64m', pids: 7 }, reservations: { memory: '32m' } },
      restart_policy: { condition: 'on-failure', delay: '2s', max_attempts: 3, window: '1m' },
    },
  }),
  on(
    {
      configs: [{ source: 'c', target: '/etc/c', uid: '1', gid: '2', mode: 0o400 }],
      secrets: [{ source: 's', target: '/s', uid: '1', gid: '2', mode: 0o400 }],
    },
    { configs: { c: { file: 'token' } }, secrets: { s: { file: 'token' } } },
  ),
  on(
    { configs: ['c', 'd'], secrets: ['s'] },
    { configs: { c: { environment: 'HOME' }, d: { content: 'x' } }, secrets: { s: { environment: 'HOME' } } },
  ),
  on(
    {
      networks: {
        n: {
          aliases: ['x'],
          interface_name: 'eth7',
          ipv4_address: '10.9.0.7',
          ipv6_address: 'fd00::7',
          link_local_ips: ['169.254.1.1'],
          mac_address: '02:42:ac:11:00:03',
          priority: 5,
          gw_priority: 6,
        },
        m: {},
      },
    },
    {
      networks: {
        m: { name: 'mm', external: true },
        n: {
          name: 'nn',
          driver_opts: { a: 'b' },
          internal: true,
          attachable: true,
          enable_ipv6: true,
          labels: { a: '1' },
          ipam: {
            config: [
              { subnet: '10.9.0.0/16', ip_range: '10.9.1.0/24', gateway: '10.9.0.1', aux_addresses: { x: '10.9.0.9' } },
            ],
          },
        },
      },
    },
  ),
  on({ networks: ['m'] }, { networks: { m: { external: { name: 'mm' } } } }),
  on(
    {
      volumes: [
        {
          type: 'bind',
          source: '/s',
          target: '/b',
          read_only: true,
          bind: { propagation: 'rslave', create_host_path: true, recursive: 'disabled' },
        },
        { type: 'volume', source: 'v', target: '/v', volume: { nocopy: true, subpath: 'p' } },
        { type: 'volume', source: 'w', target: '/w' },
        { type: 'tmpfs', target: '/t', tmpfs: { size: 7, mode: 7 } },
        { type: 'image', source: 'x', target: '/i', image: { subpath: 'p' } },
      ],
    },
    { volumes: { v: { name: 'vv', driver_opts: { a: 'b' }, labels: { a: '1' } }, w: { name: 'ww', external: true } } },
  ),
  on({ volumes: ['w:/w'] }, { volumes: { w: { external: { name: 'ww' } } } }),
  on({ volumes: [{ type: 'tmpfs', target: '/t', tmpfs: { size: 7, mode: 7 } }] }),
  more({
    a: { image: 'busybox', depends_on: { b: { condition: 'service_healthy', required: false, restart: true } } },
    b: { image: 'busybox', healthcheck: { test: ['CMD', 'x'] }, links: ['c:alias'], volumes_from: ['c'] },
    c: { image: 'busybox' },
  }),
  more({ a: { extends: { file: 'other.yaml', service: 'other' } } }),
  on({}, { name: 'own', include: [{ path: ['sub/inc.yaml'], env_file: ['sub/inc.env'], project_directory: '.' }] }),
  on(
    { secrets: ['s'], configs: ['c'] },
    { secrets: { s: { name: 'x', file: 'token' } }, configs: { c: { name: 'x', file: 'token' } } },
  ),
  on(
    {
      build: {
        context: 'sub',
        dockerfile: 'Other',
        entitlements: ['network.host'],
        args: { A: '1' },
        ssh: ['default'],
        labels: { a: '1' },
        cache_from: ['x/y'],
        cache_to: ['type=inline'],
        no_cache: true,
        additional_contexts: { x: 'docker-image://y' },
        pull: true,
        extra_hosts: ['h=1.1.1.1'],
        network: 'none',
        target: 't',
        secrets: [{ source: 's', target: 'other' }],
        shm_size: '1m',
        tags: ['more'],
        ulimits: { nofile: { soft: 1, hard: 2 } },
        platforms: ['linux/amd64'],
        privileged: true,
      },
    },
    { secrets: { s: { file: 'token' } } },
  ),
  on({ build: { context: '.', dockerfile_inline: 'FROM scratch', no_cache_filter: ['a'] } }),
  on({
    pre_start: [
      {
        command: ['x'],
        image: 'other',
        user: 'u',
        privileged: true,
        working_dir: '/w',
        environment: { A: '1' },
        per_replica: true,
      },
    ],
    post_start: [{ command: ['x'], user: 'u', privileged: true, working_dir: '/w', environment: { A: '1' } }],
    develop: {
      watch: [
        {
          path: './watched',
          action: 'sync+exec',
          target: '/watched',
          include: ['*.a'],
          ignore: ['*.b'],
          initial_sync: true,
          exec: { command: ['x'], user: 'u', privileged: true, working_dir: '/w', environment: { A: '1' } },
        },
      ],
    },
    pre_stop: [{ command: ['x'], user: 'u', privileged: true, working_dir: '/w', environment: { A: '1' } }],
  }),
]
