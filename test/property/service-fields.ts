/** For each field of a service values that a person may change into each other; the first is the usual one. */
import type { Service } from '../../src/model/service.ts'
import { healthcheck, volumeMount } from '../targets/engine/plan/project.ts'

export const m = 1024 ** 2
export const path = ['services', 'x', 'y', '0']
const port = (target: number, published: string) =>
  ({ target, published, protocol: 'tcp', mode: 'ingress', path }) as const

const hook = (command: readonly string[]) => ({ command, privileged: false, environment: {}, perReplica: false })
export const deploy = { labels: {}, placement: { constraints: [], spread: [] }, devices: [] }

export const serviceFields = {
  image: [{ image: 'busybox' }, { image: 'busybox:2' }, { image: 'alpine' }],
  command: [{}, { command: ['sleep', '1'] }, { command: ['sleep', '2'] }, { command: [] }],
  entrypoint: [{}, { entrypoint: ['/bin/sh'] }, { entrypoint: [] }],
  environment: [
    {},
    { environment: { TAG: '1' } },
    { environment: { TAG: '2' } },
    { environment: { TAG: null, B: '' } },
  ],
  workingDir: [{}, { workingDir: '/srv' }],
  user: [{}, { user: '7' }, { user: 'nobody' }],
  groupAdd: [{}, { groupAdd: ['7'] }],
  init: [{}, { init: true }, { init: false }],
  tty: [{}, { tty: true }],
  stdinOpen: [{}, { stdinOpen: true }],
  stopSignal: [{}, { stopSignal: 'SIGINT' }],
  stopGracePeriod: [{}, { stopGracePeriod: 1e9 }, { stopGracePeriod: 2e9 }],
  labels: [{}, { labels: { a: '1' } }, { labels: { a: '2', b: '' } }],
  annotations: [{}, { annotations: { a: '1' } }],
  hostname: [{}, { hostname: 'h' }],
  domainname: [{}, { domainname: 'example' }],
  healthcheck: [
    {},
    { healthcheck },
    { healthcheck: { ...healthcheck, interval: 5e9, retries: 2 } },
    { healthcheck: { disable: true } },
  ],
  restart: [{}, { restart: { kind: 'always' } }, { restart: { kind: 'on-failure', maxRetries: 3 } }],
  ports: [{}, { ports: [port(80, '8080')] }, { ports: [port(80, '8081'), port(443, '8443')] }],
  expose: [{}, { expose: ['99'] }],
  extraHosts: [{}, { extraHosts: [{ host: 'h', address: '10.1.1.1' }] }],
  dns: [{}, { dns: ['10.1.1.1'] }, { dns: ['10.1.1.2'], dnsSearch: ['example'], dnsOpt: ['ndots:2'] }],
  macAddress: [{}, { macAddress: '02:42:ac:11:00:02' }],
  mounts: [
    {},
    { mounts: [volumeMount('data', '/data')] },
    { mounts: [volumeMount('logs', '/data'), volumeMount(undefined, '/cache')] },
    { mounts: [{ kind: 'bind', source: '/srv', target: '/srv', readOnly: true, createHostPath: false, path }] },
    { mounts: [{ kind: 'tmpfs', target: '/tmp', readOnly: false, options: [], size: 7, path }] },
  ],
  readOnly: [{}, { readOnly: true }],
  shmSize: [{}, { shmSize: 64 * m }],
  privileged: [{}, { privileged: true }],
  capAdd: [{}, { capAdd: ['NET_ADMIN'] }, { capAdd: ['NET_ADMIN', 'SYS_TIME'], capDrop: ['CHOWN'] }],
  securityOpt: [{}, { securityOpt: ['no-new-privileges'] }],
  sysctls: [{}, { sysctls: { 'net.core.somaxconn': '1' } }],
  ulimits: [{}, { ulimits: [{ name: 'nofile', soft: 1, hard: 2 }] }],
  devices: [{}, { devices: [{ source: '/dev/null', target: '/dev/x', permissions: 'r' }] }],
  ipc: [{}, { ipc: { kind: 'host' } }],
  pid: [{}, { pid: { kind: 'host' } }],
  uts: [{}, { uts: { kind: 'host' } }],
  cgroup: [{}, { cgroup: 'host' }],
  cgroupParent: [{}, { cgroupParent: '/x' }],
  runtime: [{}, { runtime: 'runc' }],
  logging: [{}, { logging: { driver: 'json-file', options: { 'max-size': '1m' } } }],
  configs: [
    {},
    { configs: [{ source: 'motd', target: '/motd', path }] },
    { configs: [{ source: 'motd', target: '/motd', mode: 0o400, path }] },
    { configs: [{ source: 'inline', target: '/inline', path }] },
  ],
  secrets: [
    {},
    { secrets: [{ source: 'password', target: '/run/secrets/password', path }] },
    { secrets: [{ source: 'token', target: '/token', mode: 0o400, uid: '7', path }] },
  ],
  platform: [{}, { platform: 'linux/amd64' }, { platform: 'linux/arm64' }],
  externalLinks: [
    {},
    { externalLinks: [{ container: 'old', alias: 'other' }] },
    { externalLinks: [{ container: 'old', alias: 'another' }] },
  ],
  storageOpt: [{}, { storageOpt: { size: '1g' } }],
  deviceCgroupRules: [{}, { deviceCgroupRules: ['c 1:3 r'] }],
  usernsMode: [{}, { usernsMode: { kind: 'host' } }],
  isolation: [{}, { isolation: 'default' }],
  preStart: [{}, { preStart: [hook(['echo', '1'])] }, { preStart: [{ ...hook(['echo', '2']), perReplica: true }] }],
  postStart: [{}, { postStart: [hook(['echo', '3'])] }],
  preStop: [{}, { preStop: [hook(['echo', '4'])] }],
  deploy: [
    {},
    { deploy },
    { deploy: { ...deploy, update: { order: 'start-first' } } },
    { deploy: { ...deploy, update: { order: 'stop-first', parallelism: 2, failureAction: 'rollback' } } },
    { deploy: { ...deploy, restartDelay: 1e9, restartAttempts: 3 } },
  ],
} satisfies Partial<Record<keyof Service, readonly Partial<Service>[]>>
