/** Every flag of `docker run`, with what it is given. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Named for this run alone: another may use the same Docker Engine. */
export const mark = `flags-${process.pid}`
export const folder = mkdtempSync(join(tmpdir(), 'tsc-flags-'))
// also when all of it is skipped
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
/** A block device that is there: limits of it are only read. */
const disk = (existsSync('/sys/block') ? readdirSync('/sys/block') : []).map(name => `/dev/${name}`).find(existsSync)
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

export interface Case {
  /** What is given; the flag itself is among it. */
  readonly args: readonly string[]
  /** Run by sh inside; its output has to be the same. */
  readonly script?: string
  /** Where the two may differ, and why: paths in inspect, or `run`. */
  readonly differs?: Readonly<Record<string, string>>
}

/** Everything is a string of arguments, or a case with more to it. Each flag of the help has at least one. */
export const flags: Readonly<Record<string, readonly (string | Case)[]>> = {
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
  'cpu-rt-period': [
    {
      args: ['--cpu-rt-period', '1000000', '--cpu-rt-runtime', '950000'],
      differs: { code: 'Docker gives its group time only where its settings say so', output: 'so nothing runs there' },
    },
  ],
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
    { args: ['--mount', `type=bind,src=/usr,dst=/x,ro`], script: 'grep -c " /x " /proc/mounts; touch /x/y' },
    { args: ['--mount', 'type=tmpfs,dst=/x,tmpfs-size=64k,tmpfs-mode=1700'], script: 'stat -c %a /x' },
    '--mount type=bind,src=/no/such,dst=/x',
    '--mount type=bind,src=/usr,dst=x',
    '--mount type=odd,dst=/x',
    '--mount type=volume,dst=/x',
    `--mount type=image,src=${mark},dst=/x`,
    '--mount type=bind,src=/usr,dst=/x,bind-propagation=odd',
    '--mount type=bind,src=/usr,dst=/x,bind-recursive=disabled',
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
    '-v /usr:x',
    '-v /usr:/',
    '-v /usr:/x:odd',
    '-v a/b:/x',
  ],
  'volume-driver': ['--volume-driver local -v /x', '--volume-driver odd -v /x'],
  'volumes-from': ['--volumes-from nobody', '--volumes-from nobody:odd'],
  workdir: [{ args: ['-w', '/a/../b//c/'], script: 'pwd' }, '-w a'],
}
