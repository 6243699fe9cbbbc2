/** Every flag of `docker run`, given to our engine and to a real one: what inspect shows, what runs, how it ends. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command, type Said } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { dockerEngine, lacking, program, root, which } from '../support/needs.ts'
import { busyboxImageTar } from '../support/tiny-image.ts'

/** Named for this run alone: another may use the same Docker Engine. */
const mark = `flags-${process.pid}`
const folder = mkdtempSync(join(tmpdir(), 'tsc-flags-'))
/** A block device that is there: limits of it are only read. */
const disk = (existsSync('/sys/block') ? readdirSync('/sys/block') : []).map(name => `/dev/${name}`).find(existsSync)
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

interface Case {
  /** What is given; the flag itself is among it. */
  readonly args: readonly string[]
  /** Run by sh inside; its output has to be the same. */
  readonly script?: string
  /** Where the two may differ, and why: paths in inspect, or `run`. */
  readonly differs?: Readonly<Record<string, string>>
}

/** Everything is a string of arguments, or a case with more to it. Each flag of the help has at least one. */
const flags: Readonly<Record<string, readonly (string | Case)[]>> = {
  'add-host': [
    { args: ['--add-host', 'db:10.1.2.3'], script: 'grep 10.1.2.3 /etc/hosts' },
    '--add-host db:nowhere',
    '--add-host v6:[2001:db8::1]',
    '--add-host gw:host-gateway',
  ],
  annotation: ['--annotation a=b', '--annotation =b'],
  attach: ['-a stdout'],
  'blkio-weight': [
    '--blkio-weight 300',
    { args: ['--blkio-weight', '5'], differs: { create: 'wrong is wrong, also where the kernel knows no weights' } },
  ],
  'blkio-weight-device': ['--blkio-weight-device /dev/null:300'],
  'cap-add': [
    { args: ['--cap-add', 'NET_ADMIN'], script: 'grep Cap /proc/self/status' },
    { args: ['--cap-add', 'all'], script: 'grep CapInh /proc/self/status' },
    '--cap-add NOPE',
  ],
  'cap-drop': [{ args: ['--cap-drop', 'ALL', '--cap-add', 'chown'], script: 'grep Cap /proc/self/status' }],
  'cgroup-parent': [
    {
      args: ['--cgroup-parent', `/${mark}`, '--cgroupns', 'host'],
      script: 'grep memory: /proc/self/cgroup | cut -d/ -f2',
    },
  ],
  cgroupns: ['--cgroupns host', '--cgroupns private', '--cgroupns odd'],
  cidfile: [],
  'cpu-count': [
    { args: ['--cpu-count', '1'], differs: { 'HostConfig.CpuCount': 'for Windows: we warn and leave it out' } },
  ],
  'cpu-percent': ['--cpu-percent 10'],
  'cpu-period': [
    { args: ['--cpu-period', '50000'], script: 'cat /sys/fs/cgroup/cpu/cpu.cfs_period_us' },
    '--cpu-period 5',
  ],
  'cpu-quota': [{ args: ['--cpu-quota', '20000'], script: 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us' }, '--cpu-quota 5'],
  'cpu-rt-period': ['--cpu-rt-period 1000000 --cpu-rt-runtime 950000'],
  'cpu-rt-runtime': ['--cpu-rt-period 1000 --cpu-rt-runtime 950000'],
  'cpu-shares': [{ args: ['-c', '512'], script: 'cat /sys/fs/cgroup/cpu/cpu.shares' }, '-c -1'],
  cpus: [{ args: ['--cpus', '0.5'], script: 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us' }, '--cpus 900'],
  'cpuset-cpus': [
    { args: ['--cpuset-cpus', '0'], script: 'cat /sys/fs/cgroup/cpuset/cpuset.cpus' },
    '--cpuset-cpus 900',
    '--cpuset-cpus x',
  ],
  'cpuset-mems': ['--cpuset-mems 0', '--cpuset-mems 9'],
  detach: [],
  'detach-keys': ['--detach-keys ctrl-a'],
  device: [
    {
      args: ['--device', '/dev/zero:/dev/nought:r'],
      script: 'ls -l /dev/nought | cut -c1-40; head -c 2 /dev/nought | wc -c',
    },
    '--device /dev/zero:/dev/x:q',
  ],
  'device-cgroup-rule': ['--device-cgroup-rule=c\u00a010:200\u00a0rwm', '--device-cgroup-rule nonsense'],
  'device-read-bps': [
    {
      args: ['--device-read-bps', `${disk}:1048576`],
      script: 'cut -d" " -f2 /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device',
    },
    '--device-read-bps /dev/nosuch:1048576',
  ],
  'device-read-iops': [
    {
      args: ['--device-read-iops', `${disk}:1048576`],
      script: 'cut -d" " -f2 /sys/fs/cgroup/blkio/blkio.throttle.read_iops_device',
    },
    '--device-read-iops /dev/nosuch:1048576',
  ],
  'device-write-bps': [
    {
      args: ['--device-write-bps', `${disk}:1048576`],
      script: 'cut -d" " -f2 /sys/fs/cgroup/blkio/blkio.throttle.write_bps_device',
    },
    '--device-write-bps /dev/nosuch:1048576',
  ],
  'device-write-iops': [
    {
      args: ['--device-write-iops', `${disk}:1048576`],
      script: 'cut -d" " -f2 /sys/fs/cgroup/blkio/blkio.throttle.write_iops_device',
    },
    '--device-write-iops /dev/nosuch:1048576',
  ],
  'disable-content-trust': ['--disable-content-trust'],
  dns: [{ args: ['--dns', '10.9.9.9'], script: 'grep ^nameserver /etc/resolv.conf' }],
  'dns-option': [{ args: ['--dns-option', 'ndots:3'], script: 'grep ^options /etc/resolv.conf' }],
  'dns-search': [{ args: ['--dns-search', 'a.test'], script: 'grep ^search /etc/resolv.conf' }, '--dns-search .'],
  domainname: [
    { args: ['--domainname', 'a.test', '-h', 'web'], script: 'cat /proc/sys/kernel/domainname; hostname -f' },
  ],
  entrypoint: [{ args: ['--entrypoint', 'echo'] }, '--entrypoint=', '--entrypoint /no/such'],
  env: [{ args: ['-e', 'A=1', '-e', 'B', '-e', 'C='], script: 'env | grep ^[ABC]=' }],
  'env-file': [{ args: ['--env-file', file('env', 'A=1\n#x\nB=2\n')], script: 'env | grep ^[AB]=' }],
  expose: ['--expose 80', '--expose 90-92/udp', '--expose x'],
  gpus: ['--gpus all'],
  'group-add': [{ args: ['--group-add', '77'], script: 'id -G' }, '--group-add nobodyhere'],
  'health-cmd': ['--health-cmd true'],
  'health-interval': ['--health-cmd true --health-interval 5s', '--health-cmd true --health-interval 1us'],
  'health-retries': ['--health-cmd true --health-retries 5', '--health-cmd true --health-retries -1'],
  'health-start-interval': ['--health-cmd true --health-start-interval 5s'],
  'health-start-period': ['--health-cmd true --health-start-period 5s'],
  'health-timeout': ['--health-cmd true --health-timeout 5s'],
  help: [],
  hostname: [{ args: ['-h', 'web'], script: 'hostname; cat /etc/hostname' }, '-h a.b.c'],
  init: [{ args: ['--init'], script: 'test $$ = 1 || echo second' }],
  interactive: ['-i'],
  'io-maxbandwidth': ['--io-maxbandwidth 1m'],
  'io-maxiops': ['--io-maxiops 5'],
  ip: ['--ip 1.2.3.4'],
  ip6: ['--ip6 2001:db8::33'],
  ipc: [
    { args: ['--ipc', 'none'], script: 'ls -d /dev/shm' },
    { args: ['--ipc', 'shareable'], script: 'ls -d /dev/shm' },
    '--ipc host',
    '--ipc odd',
    '--ipc container:nobody',
  ],
  isolation: ['--isolation default', '--isolation hyperv'],
  'kernel-memory': [{ args: ['--kernel-memory', '64m'], differs: { create: 'the kernel has given such limits up' } }],
  label: ['-l a=b -l c'],
  'label-file': [`--label-file ${file('labels', 'a=b\nc\n')}`],
  link: ['--link nobody:x'],
  'link-local-ip': ['--link-local-ip 169.254.3.4'],
  'log-driver': ['--log-driver none', '--log-driver nonesuch'],
  'log-opt': ['--log-opt max-size=1m', '--log-opt nonsense=1'],
  'mac-address': [
    { args: ['--mac-address', '92:d0:c6:0a:29:33'], script: 'cat /sys/class/net/eth0/address' },
    '--mac-address x',
  ],
  memory: [{ args: ['-m', '64m'], script: 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes' }, '-m 1m', '-m x'],
  'memory-reservation': ['--memory-reservation 32m', '-m 64m --memory-reservation 128m'],
  'memory-swap': [
    '-m 64m --memory-swap 128m',
    '-m 64m --memory-swap -1',
    '--memory-swap 64m',
    '-m 64m --memory-swap 32m',
  ],
  'memory-swappiness': ['--memory-swappiness 30', '--memory-swappiness 300'],
  mount: [
    { args: ['--mount', `type=bind,src=/tmp,dst=/x,ro`], script: 'grep -c " /x " /proc/mounts; touch /x/y' },
    { args: ['--mount', 'type=tmpfs,dst=/x,tmpfs-size=64k,tmpfs-mode=1700'], script: 'stat -c %a /x' },
    '--mount type=bind,src=/no/such,dst=/x',
    '--mount type=bind,src=/tmp,dst=x',
    '--mount type=odd,dst=/x',
    '--mount type=volume,dst=/x',
    `--mount type=image,src=${mark},dst=/x`,
    '--mount type=bind,src=/tmp,dst=/x,bind-propagation=odd',
    '--mount type=bind,src=/tmp,dst=/x,bind-recursive=disabled',
  ],
  name: ['--name a', '--name a:b'],
  network: ['--network none', '--network nowhere', '--network container:nobody'],
  'network-alias': ['--network-alias x'],
  'no-healthcheck': ['--no-healthcheck'],
  'oom-kill-disable': ['-m 64m --oom-kill-disable', '--oom-kill-disable'],
  'oom-score-adj': [
    { args: ['--oom-score-adj', '500'], script: 'cat /proc/self/oom_score_adj' },
    '--oom-score-adj 5000',
  ],
  pid: ['--pid host', '--pid odd', '--pid container:nobody'],
  'pids-limit': [{ args: ['--pids-limit', '50'], script: 'cat /sys/fs/cgroup/pids/pids.max' }, '--pids-limit -1'],
  platform: ['--platform linux/amd64', '--platform linux/riscv64'],
  privileged: [{ args: ['--privileged'], script: 'grep CapEff /proc/self/status; grep -c masked /proc/mounts' }],
  publish: ['-p 127.0.0.1::80', '-p x'],
  'publish-all': ['-P --expose 80'],
  pull: ['--pull never'],
  quiet: [],
  'read-only': [{ args: ['--read-only'], script: 'touch /x' }],
  restart: ['--restart on-failure:3', '--restart odd'],
  rm: ['--rm'],
  runtime: [{ args: ['--runtime', 'runc'] }, '--runtime odd'],
  'security-opt': [
    { args: ['--security-opt', 'no-new-privileges'], script: 'grep NoNewPrivs /proc/self/status' },
    { args: ['--security-opt', 'seccomp=unconfined'], script: 'grep Seccomp: /proc/self/status' },
    '--security-opt seccomp=/no/such',
    '--security-opt odd',
    '--security-opt odd=1',
    {
      args: ['--security-opt', 'writable-cgroups=true'],
      script: 'echo 1 > /sys/fs/cgroup/memory/memory.swappiness && echo wrote',
    },
    '--security-opt writable-cgroups=odd',
    '--security-opt label=disable',
    '--security-opt systempaths=unconfined',
    '--security-opt apparmor=unconfined',
  ],
  'shm-size': [{ args: ['--shm-size', '1m'], script: 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2' }],
  'sig-proxy': [],
  'stop-signal': ['--stop-signal SIGUSR1', '--stop-signal odd'],
  'stop-timeout': ['--stop-timeout 3'],
  'storage-opt': ['--storage-opt size=1g'],
  sysctl: [
    { args: ['--sysctl', 'net.ipv4.ip_forward=1'], script: 'cat /proc/sys/net/ipv4/ip_forward' },
    '--sysctl kernel.panic=1',
    '--sysctl net.nosuch=1',
  ],
  tmpfs: [
    { args: ['--tmpfs', '/x:size=64k,mode=1700'], script: 'stat -c %a /x; grep " /x " /proc/mounts | cut -d" " -f2,3' },
    '--tmpfs /x:odd',
    '--tmpfs x',
  ],
  tty: [{ args: ['-t'], script: 'tty' }],
  ulimit: [{ args: ['--ulimit', 'nofile=100:200'], script: 'ulimit -n; ulimit -Hn' }, '--ulimit odd=1'],
  'use-api-socket': [],
  user: [{ args: ['-u', '7:8'], script: 'id' }, '-u nobodyhere', '-u 0:nobodyhere', '-u -3'],
  userns: ['--userns host', '--userns odd'],
  uts: ['--uts host', '--uts odd'],
  volume: [
    { args: ['-v', `${folder}:/x:ro`], script: 'touch /x/y' },
    { args: ['-v', `${mark}-v:/x`], script: 'touch /x/y; ls /x' },
    '-v /x',
    '-v /tmp:x',
    '-v /tmp:/',
    '-v /tmp:/x:odd',
    '-v a/b:/x',
  ],
  'volume-driver': ['--volume-driver local -v /x', '--volume-driver odd -v /x'],
  'volumes-from': ['--volumes-from nobody', '--volumes-from nobody:odd'],
  workdir: [{ args: ['-w', '/a/../b//c/'], script: 'pwd' }, '-w a'],
}

const docker = await dockerEngine()
const skip = docker
  ? lacking(root(), program('busybox'), program('nft'), program('docker'))
  : 'no Docker Engine here: set TSCOMPOSE_TEST_DOCKER to the socket of one'

describe('docker run', { skip }, () => {
  let ours: TestEngine
  before(async () => {
    ours = await TestEngine.start([])
    writeFileSync(join(folder, 'image.tar'), await busyboxImageTar(`${mark}:latest`))
    for (const host of [ours.host, docker!]) {
      const said = await on(host, 'load', '-i', join(folder, 'image.tar'))
      assert.equal(said.code, 0, said.stderr)
    }
  })
  after(async () => {
    await on(docker!, 'image', 'rm', mark)
    await on(docker!, 'volume', 'rm', `${mark}-v`)
    rmSync(folder, { recursive: true, force: true })
    // a group that somebody chose stays, of either engine
    for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
      const group = join('/sys/fs/cgroup', hierarchy, mark)
      if (existsSync(group)) rmdirSync(group)
    }
    await ours?.stop()
  })

  const on = (host: string, ...args: readonly string[]): Promise<Said> =>
    command(which('docker')!, args, { env: { DOCKER_HOST: host, DOCKER_CONFIG: folder }, timeout: 60_000 })

  test('has a case for each of its flags', async () => {
    const { stdout } = await on(docker!, 'run', '--help')
    const known = [...stdout.matchAll(/^\s+(?:-\w, )?\s*--([a-z0-9-]+)/gm)].map(match => match[1]!)
    assert.deepEqual(
      known.filter(flag => !(flag in flags)),
      [],
    )
  })

  test('--link: a container of the default bridge finds another by name and by environment, as with Docker', async () => {
    const found = async (host: string) => {
      const other = await on(
        host,
        'run',
        '-d',
        '--expose',
        '80',
        '-e',
        'A=1',
        '--name',
        `${mark}-db`,
        mark,
        'sleep',
        '100',
      )
      try {
        const script = 'env | grep ^STORE_ | sort; grep -cw store /etc/hosts; true'
        const said = await on(
          host,
          'run',
          '--rm',
          '--link',
          `${mark}-db:store`,
          '--name',
          `${mark}-a`,
          mark,
          'sh',
          '-c',
          script,
        )
        return said.stdout.replaceAll(/\d+\.\d+\.\d+\.\d+/g, 'ADDRESS') + said.stderr
      } finally {
        await on(host, 'rm', '-f', other.stdout.trim())
      }
    }
    const mine = await found(ours.host)
    assert.match(mine, /^STORE_PORT_80_TCP_ADDR=ADDRESS$/m)
    assert.equal(mine, await found(docker!))
  })

  for (const [flag, cases] of Object.entries(flags))
    for (const each of cases) {
      const {
        args,
        script = 'echo ran',
        differs = {},
      }: Case = typeof each === 'string' ? { args: each.split(' ').map(word => word.replaceAll('\u00a0', ' ')) } : each
      test(`--${flag}: ${args.join(' ')} as with Docker`, async () => {
        const [mine, its] = await Promise.all([ours.host, docker!].map(host => outcome(host, args, script)))
        const differences = compare(mine!, its!).filter(({ path }) => !(path in differs) && !(path in everywhere))
        assert.deepEqual(differences, [], `${mine!.said}\n${its!.said}`)
      })
    }

  interface Outcome {
    readonly created: boolean
    readonly inspect: Record<string, unknown>
    readonly ran: { readonly code: number; readonly stdout: string } | undefined
    /** For people. */
    readonly said: string
  }

  async function outcome(host: string, args: readonly string[], script: string): Promise<Outcome> {
    const created = await on(host, 'create', ...args, mark, 'sh', '-c', script)
    if (created.code !== 0) return { created: false, inspect: {}, ran: undefined, said: created.stderr }
    const id = created.stdout.trim().split('\n').at(-1)!
    try {
      const [inspect] = JSON.parse((await on(host, 'inspect', id)).stdout)
      const ran = await on(host, 'start', '-a', id)
      return {
        created: true,
        inspect: shown(inspect),
        ran: { code: ran.code, stdout: ran.stdout },
        said: `${created.stderr}${ran.stderr}`,
      }
    } finally {
      await on(host, 'rm', '-fv', id)
    }
  }
})

/** Paths in which every container of ours differs, and why. */
const everywhere: Readonly<Record<string, string>> = {
  'HostConfig.CgroupnsMode': 'always private unless asked otherwise, by Docker on cgroup v2 alone',
}

interface Difference {
  readonly path: string
  readonly ours: unknown
  readonly docker: unknown
}

/** Of a create, both refuse or both make the same; a refusal at create where Docker refuses at start is the better answer. */
function compare(
  mine: { created: boolean; inspect: object; ran?: { code: number; stdout: string } | undefined },
  its: typeof mine,
): Difference[] {
  const itsFailed = !its.created || its.ran?.code !== 0
  if (!mine.created) return itsFailed ? [] : [{ path: 'create', ours: 'refused', docker: 'created' }]
  if (!its.created) return [{ path: 'create', ours: 'created', docker: 'refused' }]
  const differences = differencesOf(mine.inspect, its.inspect, '')
  if (mine.ran?.code !== its.ran?.code) differences.push({ path: 'code', ours: mine.ran?.code, docker: its.ran?.code })
  if (mine.ran?.stdout !== its.ran?.stdout)
    differences.push({ path: 'output', ours: mine.ran?.stdout, docker: its.ran?.stdout })
  return differences
}

/** What of inspect is compared, without names of things of each engine. */
function shown(inspect: Inspect): Record<string, unknown> {
  const { Config, HostConfig, Mounts, Path, Args, Platform, AppArmorProfile, NetworkSettings } = inspect
  return {
    Config: {
      ...Config,
      Env: [...(Config.Env ?? [])].sort(),
      Hostname: /^[0-9a-f]{12}$/.test(Config.Hostname) ? 'its id' : Config.Hostname,
    },
    HostConfig,
    Mounts: Mounts.map(mount => ({
      ...mount,
      Source: mount.Source === folder || mount.Source === '/tmp' ? mount.Source : 'of the engine',
      Name: mount.Name && (mount.Name.startsWith(mark) ? mount.Name : 'made up'),
    })),
    Path,
    Args,
    Platform,
    AppArmorProfile,
    Networks: Object.keys(NetworkSettings.Networks),
  }
}

interface Inspect {
  readonly Config: { readonly Hostname: string; readonly Env?: readonly string[] }
  readonly HostConfig: object
  readonly Mounts: readonly { readonly Source?: string; readonly Name?: string }[]
  readonly Path: string
  readonly Args: readonly string[]
  readonly Platform: string
  readonly AppArmorProfile: string
  readonly NetworkSettings: { readonly Networks: object }
}

const nothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && Object.values(value as object).every(nothing))

function differencesOf(mine: unknown, its: unknown, path: string): Difference[] {
  if (nothing(mine) && nothing(its)) return []
  if (typeof mine === 'object' && typeof its === 'object' && mine && its && !Array.isArray(mine)) {
    const names = [...new Set([...Object.keys(mine), ...Object.keys(its)])]
    return names.flatMap(name =>
      differencesOf(
        (mine as Record<string, unknown>)[name],
        (its as Record<string, unknown>)[name],
        path ? `${path}.${name}` : name,
      ),
    )
  }
  return JSON.stringify(mine) === JSON.stringify(its) ? [] : [{ path, ours: mine, docker: its }]
}
